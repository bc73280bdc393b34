import { useTranslation } from "~/i18n/use-translation";
import type { Webhook } from "~/matrix/webhooks";
import { Notice } from "~/ui/marks";
import { ShownOnce } from "~/ui/shown-once";
import styles from "./integrations.module.css";

/** The address or key of a webhook that was made just now, with a line to try it by. */
export function Secrets({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation("integrations");
  const { post_url: address, signing_key: key } = webhook;
  return (
    <div className={styles.form}>
      <Notice tone="ember">{t("secret.once")}</Notice>
      {address && <ShownOnce label={t("secret.address")} value={address} />}
      {key && <ShownOnce label={t("secret.key")} value={key} />}
      {address && !key && (
        <ShownOnce
          label={t("secret.try")}
          value={`curl -d '{"text":"*Hello* from a program"}' -H 'Content-Type: application/json' '${address}'`}
        />
      )}
      {key && (
        <p className={styles.hint}>
          {t(webhook.direction === "incoming" ? "secret.signIt" : "secret.checkIt")}
        </p>
      )}
    </div>
  );
}
