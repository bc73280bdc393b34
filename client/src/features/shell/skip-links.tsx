import { useTranslation } from "~/i18n/use-translation";
import styles from "./skip-links.module.css";

/** The first stop of Tab: past the lists, into the page. */
export function SkipLinks() {
  const { t } = useTranslation("shell");
  return (
    <button
      type="button"
      className={styles.skip}
      onClick={() => {
        const page = document.getElementById("page");
        const target = page?.querySelector<HTMLElement>("textarea, main a[href], main button") ?? page;
        target?.focus();
      }}
    >
      {t("skip")}
    </button>
  );
}
