import { useTranslation } from "~/i18n/use-translation";
import { Notice } from "~/ui/marks";
import { ShownOnce } from "~/ui/shown-once";
import styles from "./tokens.module.css";

/** A token that was made just now, with a line to try it by. */
export function MadeToken({ token }: { token: string }) {
  const { t } = useTranslation("access-tokens");
  const whoami = `${window.location.origin}/_matrix/client/v3/account/whoami`;
  return (
    <div className={styles.form}>
      <Notice tone="ember">{t("once")}</Notice>
      <ShownOnce label={t("token")} value={token} />
      <ShownOnce label={t("try")} value={`curl -H 'Authorization: Bearer ${token}' ${whoami}`} />
    </div>
  );
}
