import { useTranslation } from "~/i18n/use-translation";
import { Notice } from "~/ui/marks";
import styles from "./admin.module.css";
import type { Groups } from "./directory-schemas";
import { titleOf } from "./domains";
import { useFormat } from "./format";
import { Stat } from "./parts";

/** What the mapped groups have come to in servers and channels. */
export function GroupsCard({ domain, groups }: { domain: string; groups: Groups }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  return (
    <section className={styles.card} aria-label={titleOf(t("groups.title"), domain)}>
      <header className={styles.cardHead}>
        <h3>{titleOf(t("groups.title"), domain)}</h3>
        <small>{groups.ended_ts == null ? t("groups.never") : format.time(groups.ended_ts)}</small>
      </header>
      {groups.failures.map((failure) => (
        <Notice key={failure} tone="danger">
          {failure}
        </Notice>
      ))}
      <dl className={styles.stats}>
        <Stat label={t("groups.done")} value={format.count(groups.done)} />
        <Stat label={t("groups.drift")} value={format.count(groups.drift)} />
        <Stat
          label={t("groups.notPossible")}
          value={format.count(groups.not_possible)}
          detail={groups.not_possible > 0 ? t("groups.planSays") : undefined}
        />
      </dl>
    </section>
  );
}
