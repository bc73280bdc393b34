import { useNavigate } from "@tanstack/react-router";
import { dismissPrompt, useEncryption } from "~/features/encryption";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { KeyCard } from "./key-card";
import { MicrophoneCard } from "./microphone-card";
import { NotificationsCard } from "./notifications-card";
import styles from "./onboarding.module.css";
import { useOwnName } from "./use-own-name";

/** The first steps of somebody new: three cards, each of which may be left out. */
export function WelcomeScreen() {
  const { t } = useTranslation("onboarding");
  const { deviceId } = useSession();
  const { unsavedKey } = useEncryption();
  const navigate = useNavigate();
  const name = useOwnName();

  function leave() {
    // Whoever was offered the key here is not asked again in every room.
    dismissPrompt("saveKey", deviceId);
    void navigate({ to: "/" });
  }

  return (
    <main className={styles.screen}>
      <div className={styles.column}>
        <header>
          <h1 className={styles.title}>{t("title", { name })}</h1>
          <p className={styles.lead}>{t("lead")}</p>
        </header>
        <KeyCard />
        <NotificationsCard />
        <MicrophoneCard />
        <footer className={styles.footer}>
          <Button kind={unsavedKey ? "plain" : "primary"} onPress={leave}>
            {t(unsavedKey ? "skip" : "finish")}
          </Button>
        </footer>
      </div>
    </main>
  );
}
