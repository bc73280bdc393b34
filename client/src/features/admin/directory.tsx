import { useTranslation } from "~/i18n/use-translation";
import { Chip, Empty } from "~/ui/marks";
import { Reason } from "~/ui/reason";
import styles from "./admin.module.css";
import { DriftCard } from "./directory-drift";
import { GroupsCard } from "./directory-groups";
import { PlanCard } from "./directory-plan";
import { Directory, type DirectoryOn, type Domain } from "./directory-schemas";
import { SyncCard } from "./directory-sync";
import { useFormat } from "./format";
import { Facts, PageHead, Waiting } from "./parts";
import { useAdmin } from "./queries";

const REFRESH_MS = 5_000;

/** The company's directory: whether it answers, how the last sync ended, and what the next one would do. */
export function DirectoryPage() {
  const { t } = useTranslation("admin");
  const directory = useAdmin(Directory, "directory", { everyMs: REFRESH_MS });
  return (
    <>
      <PageHead title={t("page.directory")} text={t("directory.lead")} />
      <Waiting query={directory}>
        {directory.data?.enabled ? (
          <Connected directory={directory.data} />
        ) : (
          <Empty title={t("directory.off")} />
        )}
      </Waiting>
    </>
  );
}

function Connected({ directory }: { directory: DirectoryOn }) {
  const { t } = useTranslation("admin");
  const first = { ...directory, name: "" };
  const mirrored = [first, ...directory.domains].filter(({ sync }) => sync != null);
  return (
    <>
      {mirrored.length === 0 && (
        <section className={styles.card}>
          <p>{t("directory.noSync")}</p>
        </section>
      )}
      {mirrored.map((domain) => (
        <Mirrored key={domain.name} domain={domain} />
      ))}
      <div className={styles.charts}>
        <DomainCard domain={first}>
          <Facts
            facts={[
              [t("directory.user_filter"), <code key="filter">{directory.user_filter}</code>],
              [t("directory.login_group"), directory.login_group || t("directory.everybody")],
              [t("directory.admin_group"), directory.admin_group || "–"],
              [t("directory.start_tls"), t(directory.start_tls ? "directory.yes" : "directory.no")],
            ]}
          />
        </DomainCard>
        {directory.domains.map((domain) => (
          <DomainCard key={domain.name} domain={domain} />
        ))}
      </div>
    </>
  );
}

/** How the people and groups of one domain are kept in step. */
function Mirrored({ domain: { name, sync, groups } }: { domain: Domain }) {
  if (!sync) return null;
  return (
    <>
      <SyncCard domain={name} sync={sync} stops={groups?.stops ?? []} />
      {groups && <GroupsCard domain={name} groups={groups} />}
      <PlanCard domain={name} />
      {groups && <DriftCard domain={name} count={groups.drift} />}
    </>
  );
}

/** One domain: where it is asked, and how it has answered. */
function DomainCard({ domain, children }: { domain: Domain; children?: React.ReactNode }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { last_answer_ts: answer, last_failure_ts: failure } = domain;
  const state =
    answer == null && failure == null ? "unasked" : (answer ?? 0) > (failure ?? 0) ? "up" : "down";
  const name = domain.name || t("directory.firstDomain");
  return (
    <section className={styles.card} aria-label={name}>
      <header className={styles.cardHead}>
        <h3>{name}</h3>
        <Chip tone={state === "up" ? "echo" : state === "down" ? "live" : "neutral"}>
          {t(`directory.${state}`)}
        </Chip>
      </header>
      <Facts
        facts={[
          [t("directory.urls"), domain.urls.join(", ")],
          [t("directory.base_dn"), domain.base_dn],
          [t("directory.last_answer_ts"), format.time(answer)],
          ...(failure == null
            ? []
            : [
                [t("directory.last_failure_ts"), format.time(failure)] as const,
                [
                  t("directory.last_failure"),
                  <Reason key="failure" said={domain.last_failure ?? "–"} />,
                ] as const,
              ]),
        ]}
      />
      {children}
    </section>
  );
}
