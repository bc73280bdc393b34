import { useState } from "react";
import { openEncryptionDialog, useEncryption } from "~/features/encryption";
import { signOut } from "~/hooks/opening";
import { useTranslation } from "~/i18n/use-translation";
import type { EncryptionState } from "~/matrix/encryption/encryption";
import { Button } from "~/ui/button";
import { Confirm } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import styles from "./sessions.module.css";

/** Asks before this device is signed out, and warns of what would be lost with it. */
export function SignOutDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("sessions");
  const state = useEncryption();
  const [isPending, setPending] = useState(false);
  const loss = lossOf(state);
  return (
    <Confirm
      title={t("leave.title")}
      isOpen={isOpen}
      action={t("leave.action")}
      isDangerous
      isPending={isPending}
      onClose={onClose}
      onConfirm={() => {
        setPending(true);
        void signOut();
      }}
    >
      <div className={styles.stack}>
        <p>{t("leave.text")}</p>
        {loss && <Notice tone="ember">{t(`leave.${loss}`)}</Notice>}
        {(loss === "unsaved" || loss === "noBackup") && (
          <Button
            onPress={() => {
              onClose();
              openEncryptionDialog("recoveryKey");
            }}
          >
            {t(loss === "unsaved" ? "leave.saveKey" : "leave.backUp")}
          </Button>
        )}
      </div>
    </Confirm>
  );
}

/** What would be gone with this device. */
function lossOf({ stage, unsavedKey, hasRecoveryKey, isBackedUp }: EncryptionState) {
  if (unsavedKey) return "unsaved";
  if (stage === "unverified") return "unverified";
  return stage === "ready" && !(hasRecoveryKey && isBackedUp) ? "noBackup" : undefined;
}
