import { useTranslation } from "~/i18n/use-translation";
import styles from "./reason.module.css";
import { kindOfReason } from "./reason-kind";

/**
 * Why one machine did not reach another, as a sentence; the words of the machine stand behind it, for who mends it. What is no such
 * failure is a sentence already, and stands alone.
 */
export function Reason({ said }: { said: string }) {
  const { t } = useTranslation("ui");
  const kind = kindOfReason(said);
  if (!kind) return said;
  return (
    <div>
      {t(`unreached.${kind}`)}
      <details className={styles.details}>
        <summary>{t("unreached.words")}</summary>
        <code>{said}</code>
      </details>
    </div>
  );
}
