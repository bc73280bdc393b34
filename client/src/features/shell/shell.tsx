import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import { Suspense } from "react";
import { ChannelColumn } from "~/features/channels";
import { EncryptionDialogs, VerificationPrompt } from "~/features/encryption";
import { ModerationDialogs } from "~/features/moderation";
import { Notifier } from "~/features/notifications";
import { Ringing } from "~/features/ringing";
import { ServersRail, useFollowOpenRoom } from "~/features/servers";
import { VoiceDock } from "~/features/voice";
import { AppliedPreferences } from "~/hooks/applied-preferences";
import { useTranslation } from "~/i18n/use-translation";
import { useKeptFocus } from "~/ui/focus-keeper";
import { Spinner } from "~/ui/marks";
import { ConnectionBar } from "./connection-bar";
import { Dialogs } from "./dialogs";
import { PhoneBar } from "./phone-bar";
import { useRegions } from "./regions";
import { SessionGate } from "./session-gate";
import styles from "./shell.module.css";
import { SkipLinks } from "./skip-links";
import { useDropGuard } from "./use-drop-guard";
import { useGeneralShortcuts } from "./use-general-shortcuts";
import { useWindowTitle } from "./window-title";

const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 15_000, retry: 1 } } });

/** The frame of everything behind the login. */
export function Shell() {
  const { t } = useTranslation("ui");
  return (
    <Suspense fallback={<Spinner label={t("loading")} />}>
      <SessionGate>
        <QueryClientProvider client={queries}>
          <Frame />
          <Suspense>
            <EncryptionDialogs />
            <ModerationDialogs />
            <Notifier />
            <Ringing />
            <AppliedPreferences />
          </Suspense>
        </QueryClientProvider>
      </SessionGate>
    </Suspense>
  );
}

function Frame() {
  // On a phone one of them fills the window: the lists at `/`, else the page.
  const isList = useLocation({ select: ({ pathname }) => pathname === "/" });
  useFollowOpenRoom();
  useRegions();
  useKeptFocus();
  useDropGuard();
  useGeneralShortcuts();
  useWindowTitle();
  return (
    <div className={styles.app} data-pane={isList ? "list" : "page"}>
      <SkipLinks />
      <ConnectionBar className={styles.bar} />
      <ServersRail className={styles.rail} />
      <ChannelColumn className={styles.channels} />
      <VoiceDock className={styles.dock} />
      <div id="page" className={styles.outlet}>
        <VerificationPrompt />
        <Suspense fallback={<div className={styles.empty} />}>
          <Outlet />
        </Suspense>
      </div>
      <PhoneBar className={styles.phone} />
      <Dialogs />
    </div>
  );
}
