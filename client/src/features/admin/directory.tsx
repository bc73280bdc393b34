import * as v from "valibot";
import { useTranslation } from "~/i18n/use-translation";
import { Empty } from "~/ui/marks";
import styles from "./admin.module.css";
import { useFormat } from "./format";
import { Facts, PageHead, Waiting } from "./parts";
import { useAdmin } from "./queries";

const Directory = v.looseObject({ enabled: v.boolean() });

export function DirectoryPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const directory = useAdmin(Directory, "directory");
  const facts = Object.entries(directory.data ?? {})
    .filter(([name]) => name !== "enabled")
    .map(
      ([name, value]) =>
        [
          t(`directory.${name}`, { defaultValue: name }),
          name.endsWith("_ts") ? format.time(Number(value)) : shown(value),
        ] as const,
    );
  return (
    <>
      <PageHead title={t("page.directory")} text={t("directory.lead")} />
      <Waiting query={directory}>
        {directory.data?.enabled ? (
          <section className={styles.card}>
            <Facts facts={facts} />
          </section>
        ) : (
          <Empty title={t("directory.off")} />
        )}
      </Waiting>
    </>
  );
}

function shown(value: unknown): string {
  if (value == null || value === "") return "–";
  if (Array.isArray(value)) return value.map(String).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
