import { useConfig } from "~/hooks/config";
import { usePreferences } from "~/hooks/preferences";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Group, Page } from "~/ui/page";
import { download } from "./download";
import { LICENCES } from "./licences";
import styles from "./settings.module.css";

export function AboutPage() {
  const { t } = useTranslation("settings");
  const { server_name: server, version, brand, help_url: helpUrl } = useConfig();
  const session = useSession();

  function saveDiagnostics() {
    const facts = {
      ...{ brand, server, version, browser: navigator.userAgent, languages: navigator.languages },
      ...{ user_id: session.userId, device_id: session.deviceId },
      ...{ connection: session.connection.state.peek("server").state },
      joined_rooms: session.rooms.lists.peek("joined").length,
      screen: { width: window.innerWidth, height: window.innerHeight, ratio: window.devicePixelRatio },
      service_worker: navigator.serviceWorker?.controller != null,
      notifications: "Notification" in window ? Notification.permission : "unsupported",
      preferences: usePreferences.getState(),
      at: new Date().toISOString(),
    };
    download(
      "diagnostics.json",
      new Blob([JSON.stringify(facts, undefined, 2)], { type: "application/json" }),
    );
  }

  return (
    <Page title={t("page.about")}>
      <Group>
        <dl className={styles.facts}>
          <dt>{t("about.app")}</dt>
          <dd>{brand}</dd>
          {version && (
            <>
              <dt>{t("about.version")}</dt>
              <dd>{version}</dd>
            </>
          )}
          <dt>{t("about.server")}</dt>
          <dd>{server}</dd>
          <dt>{t("about.user")}</dt>
          <dd>{session.userId}</dd>
          <dt>{t("about.device")}</dt>
          <dd>{session.deviceId}</dd>
        </dl>
        {helpUrl && (
          <a href={helpUrl} target="_blank" rel="noreferrer">
            {t("about.help")}
          </a>
        )}
      </Group>
      <Group title={t("about.diagnostics")} hint={t("about.diagnosticsHint")}>
        <Button onPress={saveDiagnostics}>{t("about.diagnosticsSave")}</Button>
      </Group>
      <Group title={t("about.licences")} hint={t("about.licencesHint", { brand })}>
        <ul className={styles.people}>
          {LICENCES.map(({ name, licence }) => (
            <li key={name} className={styles.row}>
              <span className={styles.grow}>{name}</span>
              <span className={styles.muted}>{licence}</span>
            </li>
          ))}
        </ul>
      </Group>
    </Page>
  );
}
