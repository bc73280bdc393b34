import { forgetFailedTexts, useTranslation } from "~/i18n/use-translation";
import styles from "./broken.module.css";
import { Notice } from "./marks";
import { NativeButton } from "./native";

/** What stands in place of a page that could not be loaded or shown. Its words are among the first that are fetched. */
export function Broken({ error, reset }: { error: unknown; reset: () => void }) {
  const { t } = useTranslation("ui");
  return (
    <div className={styles.broken}>
      <Notice tone="danger">
        <p>{t("broken.text")}</p>
        <details>
          <summary>{t("unreached.words")}</summary>
          <code>{error instanceof Error ? error.message : String(error)}</code>
        </details>
      </Notice>
      <div className={styles.ways}>
        <NativeButton
          kind="primary"
          onPress={() => {
            forgetFailedTexts();
            reset();
          }}
        >
          {t("retry")}
        </NativeButton>
        <NativeButton onPress={() => window.location.reload()}>{t("reload")}</NativeButton>
      </div>
    </div>
  );
}
