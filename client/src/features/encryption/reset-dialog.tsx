import { useState } from "react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { NotConfirmed } from "~/matrix/not-confirmed";
import { Confirm } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import { openEncryptionDialog } from "./dialog-state";
import styles from "./encryption.module.css";

/** New keys for the account, for whoever lost the recovery key and every device. */
export function ResetDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("encryption");
  const { encryption } = useSession();
  const [state, setState] = useState<"asking" | "pending" | "failed">("asking");

  async function reset() {
    setState("pending");
    try {
      await encryption.reset();
      openEncryptionDialog("recoveryKey");
    } catch (error) {
      setState(error instanceof NotConfirmed ? "asking" : "failed");
    }
  }

  return (
    <Confirm
      title={t("reset.title")}
      isOpen
      action={t("reset.action")}
      isDangerous
      isPending={state === "pending"}
      onConfirm={() => void reset()}
      onClose={onClose}
    >
      <div className={styles.stack}>
        {state === "failed" && <Notice tone="danger">{t("reset.failed")}</Notice>}
        <p>{t("reset.text")}</p>
        <p>{t("reset.lost")}</p>
      </div>
    </Confirm>
  );
}
