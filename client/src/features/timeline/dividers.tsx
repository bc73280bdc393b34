import { useTranslation } from "~/i18n/use-translation";
import type { DayItem, NewItem } from "~/matrix/timeline";
import { cx } from "~/ui/cx";
import styles from "./dividers.module.css";
import { useMessageTimes } from "./times";

export function DayDivider({ item }: { item: DayItem }) {
  const times = useMessageTimes();
  return <div className={styles.day}>{times.day(item.ts)}</div>;
}

export function NewDivider({ item }: { item: NewItem }) {
  const { t } = useTranslation("timeline");
  const times = useMessageTimes();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule has no words.
    <div role="separator" className={cx(styles.day, styles.new)}>
      {t("newSince", { count: item.count, time: times.clock(item.sinceTs) })}
    </div>
  );
}
