import { Navigate, useRouter } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { SignInAgain, Splash } from "~/features/login";
import { useConfig } from "~/hooks/config";
import { retryOpening, signOut, startOpening, useAccountHere, useOpening } from "~/hooks/opening";
import { SessionProvider } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Spinner } from "~/ui/marks";

/** What is behind the login, once the account is open in this tab; until then, what stands in the way and a way on. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const { opening } = useOpening();
  const { href } = useRouter().state.location;

  useEffect(() => {
    void startOpening(config);
  }, [config]);

  switch (opening.phase) {
    case "open":
      return <SessionProvider session={opening.session}>{children}</SessionProvider>;
    case "signedOut":
      return (
        <Navigate
          to="/login"
          search={{
            // Whoever leaves on purpose does not leave their page to the next one.
            ...(href === "/" || opening.by === "here" ? {} : { next: href }),
            ...(opening.by === "elsewhere" ? { ended: true } : {}),
          }}
        />
      );
    case "softLoggedOut":
      return <SignInAgain credentials={opening.credentials} />;
    case "elsewhere":
      return (
        <Splash title={t("elsewhere.title", { brand: config.brand })} text={t("elsewhere.text")}>
          <Button kind="primary" onPress={useAccountHere}>
            {t("elsewhere.useHere")}
          </Button>
        </Splash>
      );
    case "failed":
      return (
        <Splash title={t("openFailed.title")} text={t("openFailed.text")} details={opening.reason}>
          <Button kind="primary" onPress={retryOpening}>
            {t("openFailed.retry")}
          </Button>
          <Button kind="quiet" onPress={() => void signOut()}>
            {t("openFailed.signOut")}
          </Button>
        </Splash>
      );
    case "opening":
      return opening.isWaiting ? (
        <Splash title={t("waiting.title")} text={t("waiting.text")}>
          <Spinner label={t("waiting.title")} />
        </Splash>
      ) : (
        <Splash title={config.brand} isQuiet>
          <Spinner label={t("opening")} />
        </Splash>
      );
  }
}
