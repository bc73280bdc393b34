import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import ExternalLink from "lucide-react/icons/external-link";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { reopen } from "~/hooks/opening";
import { useTranslation } from "~/i18n/use-translation";
import { type Credentials, loadCredentials, saveCredentials } from "~/matrix/credentials";
import { failureOf, isNewAccount, type LoginFailure } from "~/matrix/login";
import { finishOAuth } from "~/matrix/oauth";
import { isForgetful } from "~/matrix/storage";
import { Notice, Spinner } from "~/ui/marks";
import { NativeButton } from "~/ui/native";
import { LanguageChoice } from "./language-choice";
import styles from "./login.module.css";
import { inClient } from "./next";
import { OAuthButton } from "./oauth-button";
import { PasswordForm } from "./password-form";
import { Emblem } from "./splash";

/** Fetched by those few who need it. */
const RegisterForm = lazy(() => import("./register-form").then((all) => ({ default: all.RegisterForm })));

/** The first thing that people see: who they are here, and the way in. */
export function LoginScreen() {
  const { t } = useTranslation("login");
  const config = useConfig();
  const { next = "/", ended } = useSearch({ from: "/login" });
  const { password, oauth, registration } = config.login;
  const { enter, failure, isReturning } = useEntrance(inClient(next));
  const isPrivate = useForgetful();
  const [isNew, setIsNew] = useState(false);
  // Where the server's own page offers new accounts, it is the place for that.
  const offersForm = registration && password && !oauth;

  return (
    <main className={styles.screen}>
      <div className={styles.card}>
        <Emblem />
        <div>
          <h1 className={styles.title}>
            {isNew ? t("register.title") : t("title", { brand: config.brand })}
          </h1>
          <p className={styles.server}>{config.server_name}</p>
        </div>
        {ended && !failure && <Notice tone="ember">{t("ended")}</Notice>}
        {failure && <Notice tone="danger">{t(`failures.${failure}`)}</Notice>}
        {isPrivate && <Notice>{t("private")}</Notice>}
        {isReturning ? (
          <Spinner label={t("signingIn")} />
        ) : isNew ? (
          <Suspense>
            <RegisterForm onSignedIn={enter} onCancel={() => setIsNew(false)} />
          </Suspense>
        ) : (
          <>
            {password && <PasswordForm onSignedIn={enter} />}
            {password && oauth && <p className={styles.or}>{t("or")}</p>}
            {oauth && (
              <OAuthButton next={next} kind={password ? "plain" : "primary"} icon={ExternalLink}>
                {t("oauth")}
              </OAuthButton>
            )}
            {offersForm && (
              <NativeButton kind="quiet" className={styles.submit} onPress={() => setIsNew(true)}>
                {t("newAccount")}
              </NativeButton>
            )}
            {oauth && registration && (
              <OAuthButton next={next} kind="quiet" isNewAccount>
                {t("newAccount")}
              </OAuthButton>
            )}
          </>
        )}
      </div>
      <footer className={styles.footer}>
        <LanguageChoice />
        {config.help_url && <a href={config.help_url}>{t("help")}</a>}
        {config.version && <span>{t("version", { version: config.version })}</span>}
      </footer>
    </main>
  );
}

/** Goes in with new credentials; also takes the code that the sign-in page brought back, and passes by who is in already. */
function useEntrance(next: string) {
  const config = useConfig();
  const navigate = useNavigate();
  const router = useRouter();
  const [failure, setFailure] = useState<LoginFailure | "cancelled">();
  const [isReturning, setReturning] = useState(() => new URLSearchParams(window.location.search).has("code"));
  const isStarted = useRef(false);

  async function enter(credentials: Credentials, wanted = next): Promise<void> {
    const isNew = await isNewAccount(baseUrlOf(config), credentials).catch(() => false);
    await saveCredentials(credentials);
    await reopen();
    if (isNew && wanted === "/") await navigate({ to: "/welcome", replace: true });
    else router.history.replace(wanted);
  }

  useEffect(() => {
    // A code is good once, and effects may run twice.
    if (isStarted.current) return;
    isStarted.current = true;
    // Read from the address itself: the router would take what looks like a number for one.
    const answer = new URLSearchParams(window.location.search);
    const [code, state] = [answer.get("code"), answer.get("state")];
    void (async () => {
      try {
        if (code && state) {
          const finished = await finishOAuth(baseUrlOf(config), { code, state });
          await enter(finished.credentials, inClient(finished.next));
        } else if (answer.has("error")) {
          setFailure(answer.get("error") === "access_denied" ? "cancelled" : "failed");
        } else if (await loadCredentials()) router.history.replace(next);
      } catch (error) {
        setReturning(false);
        setFailure(failureOf(error));
        await navigate({ to: "/login", replace: true });
      }
    })();
  });

  return { enter, failure, isReturning };
}

function useForgetful(): boolean {
  const [is, setIs] = useState(false);
  useEffect(() => void isForgetful().then(setIs), []);
  return is;
}
