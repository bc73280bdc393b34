import { Navigate, Outlet } from "@tanstack/react-router";
import { Suspense, use } from "react";
import { useTranslation } from "react-i18next";
import { ChannelColumn } from "~/features/channels";
import { Ringing } from "~/features/ringing";
import { ServersRail } from "~/features/servers";
import { VoiceDock } from "~/features/voice";
import { useConfig } from "~/hooks/config";
import { SessionProvider } from "~/hooks/session";
import { Spinner } from "~/ui/marks";
import { openSession } from "./open-session";
import styles from "./shell.module.css";

/** The frame of everything behind the login. */
export function Shell() {
  const { t } = useTranslation("ui");
  return (
    <Suspense fallback={<Spinner label={t("loading")} />}>
      <Opened />
    </Suspense>
  );
}

function Opened() {
  const session = use(openSession(useConfig()));
  if (!session) return <Navigate to="/login" />;
  return (
    <SessionProvider session={session}>
      <div className={styles.app}>
        <ServersRail className={styles.rail} />
        <ChannelColumn className={styles.channels} />
        <VoiceDock className={styles.dock} />
        <Ringing />
        <Suspense fallback={<div className={styles.main} />}>
          <div className={styles.outlet}>
            <Outlet />
          </div>
        </Suspense>
      </div>
    </SessionProvider>
  );
}
