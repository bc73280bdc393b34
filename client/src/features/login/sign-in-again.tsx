import { useRouter } from "@tanstack/react-router";
import ExternalLink from "lucide-react/icons/external-link";
import { useConfig } from "~/hooks/config";
import { reopen, signOut } from "~/hooks/opening";
import { useTranslation } from "~/i18n/use-translation";
import { type Credentials, saveCredentials } from "~/matrix/credentials";
import { localpartOf } from "~/matrix/ids";
import { NativeButton } from "~/ui/native";
import styles from "./login.module.css";
import { OAuthButton } from "./oauth-button";
import { PasswordForm } from "./password-form";
import { Emblem } from "./splash";

/** The session is over, but not its keys: whoever signs in again goes on where they were. */
export function SignInAgain({ credentials }: { credentials: Credentials }) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const { href } = useRouter().state.location;
  const isByPage = credentials.oauth !== undefined || !config.login.password;

  async function goOn(renewed: Credentials) {
    await saveCredentials(renewed);
    await reopen();
  }

  return (
    <main className={styles.screen}>
      <div className={styles.card}>
        <Emblem />
        <div>
          <h1 className={styles.title}>{t("again.title")}</h1>
          <p className={styles.server}>{config.server_name}</p>
        </div>
        <p className={styles.text}>{t("again.text")}</p>
        {!isByPage && (
          <PasswordForm
            again={{ user: localpartOf(credentials.userId), deviceId: credentials.deviceId }}
            onSignedIn={goOn}
          />
        )}
        {isByPage && (
          <OAuthButton next={href} kind="primary" icon={ExternalLink} deviceId={credentials.deviceId}>
            {t("oauth")}
          </OAuthButton>
        )}
        <NativeButton kind="quiet" className={styles.submit} onPress={() => void signOut()}>
          {t("again.other")}
        </NativeButton>
      </div>
    </main>
  );
}
