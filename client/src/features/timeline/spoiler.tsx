import { type ReactNode, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import styles from "./spoiler.module.css";

/** Words that show only to those who ask for them. */
export function Spoiler({ reason, children }: { reason: string; children: ReactNode }) {
  const { t } = useTranslation("timeline");
  const [isShown, setShown] = useState(false);
  if (isShown) return <span className={styles.shown}>{children}</span>;
  return (
    <button type="button" className={styles.hidden} onClick={() => setShown(true)}>
      {reason ? t("spoilerOf", { reason: reason.slice(0, 100) }) : t("spoiler")}
    </button>
  );
}
