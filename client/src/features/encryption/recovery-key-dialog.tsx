import { useState } from "react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import styles from "./encryption.module.css";
import { RecoveryKey } from "./recovery-key";
import { useEncryption } from "./use-encryption";

/** Shows the recovery key that waits to be saved, or makes a new one. */
export function RecoveryKeyDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("encryption");
  const { encryption } = useSession();
  const { unsavedKey, hasRecoveryKey } = useEncryption();
  const [state, setState] = useState<"asking" | "pending" | "failed">("asking");

  async function make() {
    setState("pending");
    try {
      await encryption.newRecoveryKey();
      setState("asking");
    } catch {
      setState("failed");
    }
  }

  return (
    <Dialog title={t("key.title")} isOpen onClose={onClose}>
      <div className={styles.stack}>
        <p>{t("key.text")}</p>
        {unsavedKey ? (
          <RecoveryKey recoveryKey={unsavedKey} onSaved={onClose} />
        ) : (
          <>
            {hasRecoveryKey && <Notice tone="ember">{t("key.replaces")}</Notice>}
            {state === "failed" && <Notice tone="danger">{t("key.failed")}</Notice>}
            <Button kind="primary" isPending={state === "pending"} onPress={() => void make()}>
              {t(hasRecoveryKey ? "key.makeNew" : "key.make")}
            </Button>
          </>
        )}
      </div>
    </Dialog>
  );
}
