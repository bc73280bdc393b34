import type { Quality } from "~/calls/types";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import styles from "./quality-mark.module.css";

const LIT: Record<Quality, number> = { excellent: 4, good: 3, poor: 2, lost: 0, unknown: 0 };
const BARS = [1, 2, 3, 4] as const;

/** Bars of a connection, and their meaning in words for who does not see them. */
export function QualityMark({ quality }: { quality: Quality }) {
  const { t } = useTranslation("voice");
  return (
    <span role="img" aria-label={t(`quality.${quality}`)} className={cx(styles.bars, styles[quality])}>
      {BARS.map((bar) => (
        <i key={bar} className={cx(styles[`h${bar}`], bar > LIT[quality] && styles.off)} />
      ))}
    </span>
  );
}
