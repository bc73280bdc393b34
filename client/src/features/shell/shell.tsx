import { Outlet } from "@tanstack/react-router";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ChannelColumn } from "~/features/channels";
import { EncryptionDialogs, VerificationPrompt } from "~/features/encryption";
import { ServersRail } from "~/features/servers";
import { VoiceDock } from "~/features/voice";
import { Spinner } from "~/ui/marks";
import { SessionGate } from "./session-gate";
import styles from "./shell.module.css";

/** The frame of everything behind the login. */
export function Shell() {
  const { t } = useTranslation("ui");
  return (
    <Suspense fallback={<Spinner label={t("loading")} />}>
      <SessionGate>
        <Frame />
      </SessionGate>
    </Suspense>
  );
}

function Frame() {
  return (
    <div className={styles.app}>
      <ServersRail className={styles.rail} />
      <ChannelColumn className={styles.channels} />
      <VoiceDock className={styles.dock} />
      <div className={styles.outlet}>
        <VerificationPrompt />
        <Suspense fallback={<div className={styles.main} />}>
          <Outlet />
        </Suspense>
      </div>
      <EncryptionDialogs />
    </div>
  );
}
