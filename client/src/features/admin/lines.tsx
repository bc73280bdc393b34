import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import styles from "./admin.module.css";

/** More are shown when somebody asks: a plan can have thousands. */
const SHOWN = 100;

interface LinesProps {
  title: string;
  lines: readonly string[];
  /** How many there are, where the server sent fewer. */
  total: number;
}

/** Sentences below each other, a hundred at a time; nothing where there are none. */
export function Lines({ title, lines, total }: LinesProps) {
  const { t } = useTranslation(["admin", "ui"]);
  const [shown, setShown] = useState(SHOWN);
  if (lines.length === 0) return null;
  return (
    <div>
      <h4 className={styles.section}>{title}</h4>
      <ul className={styles.rows} aria-label={title}>
        {lines.slice(0, shown).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole.
          <li key={index} className={styles.row}>
            <span className={styles.rowText}>{line}</span>
          </li>
        ))}
      </ul>
      {lines.length > shown && (
        <Button kind="quiet" onPress={() => setShown(shown + SHOWN)}>
          {t("ui:more")}
        </Button>
      )}
      {lines.length <= shown && total > lines.length && (
        <p className={styles.lead}>{t("lines.cut", { count: total - lines.length })}</p>
      )}
    </div>
  );
}
