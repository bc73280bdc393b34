import { LANGUAGES, setLanguage } from "~/i18n";
import { useTranslation } from "~/i18n/use-translation";
import styles from "./login.module.css";

const NAMES = { en: "English", de: "Deutsch" } as const;

/** The languages by their own names: for whoever cannot read the page. */
export function LanguageChoice() {
  const { i18n } = useTranslation();
  return (
    <span className={styles.languages}>
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={i18n.language === language}
          onClick={() => void setLanguage(language)}
        >
          {NAMES[language]}
        </button>
      ))}
    </span>
  );
}
