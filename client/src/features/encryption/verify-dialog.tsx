import { Smartphone } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { openEncryptionDialog } from "./dialog-state";
import styles from "./encryption.module.css";
import { useEncryption } from "./use-encryption";

type Failure = "malformed" | "wrong" | "missing" | "failed";

/** This device gets the account's keys: by the recovery key, or from another device of the same person. */
export function VerifyDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("encryption");
  const { encryption, verifications } = useSession();
  const { hasRecoveryKey } = useEncryption();
  const [text, setText] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const [isPending, setPending] = useState(false);

  async function unlock(event: FormEvent) {
    event.preventDefault();
    if (isPending) return;
    setPending(true);
    setFailure(undefined);
    try {
      await encryption.unlock(text);
      toast({ text: t("verify.done") });
      onClose();
    } catch (error) {
      setFailure(failureOf(error));
      setPending(false);
    }
  }

  async function askOthers() {
    try {
      await verifications.askOwnDevices();
      onClose();
    } catch {
      setFailure("failed");
    }
  }

  return (
    <Dialog title={t("verify.title")} isOpen onClose={onClose}>
      <div className={styles.stack}>
        <p>{t("verify.text")}</p>
        {failure === "failed" && <Notice tone="danger">{t("verify.failed")}</Notice>}
        {hasRecoveryKey && (
          <form className={styles.option} onSubmit={unlock}>
            <TextField
              label={t("verify.keyLabel")}
              hint={t("verify.keyHint")}
              value={text}
              onChange={(typed) => {
                setText(typed);
                // A field that is marked would keep its form from being sent again.
                setFailure(undefined);
              }}
              autoComplete="off"
              autoFocus
              isRequired
              error={failure && failure !== "failed" ? t(`verify.${failure}`) : undefined}
            />
            <Button kind="primary" type="submit" isPending={isPending}>
              {t(isPending ? "verify.pending" : "verify.unlock")}
            </Button>
          </form>
        )}
        <div className={styles.option}>
          <p>{t("verify.otherText")}</p>
          <Button icon={Smartphone} onPress={() => void askOthers()}>
            {t("verify.other")}
          </Button>
        </div>
        <Button kind="quiet" onPress={() => openEncryptionDialog("reset")}>
          {t("verify.reset")}
        </Button>
      </div>
    </Dialog>
  );
}

function failureOf(error: unknown): Failure {
  const kind = error instanceof Error && "kind" in error ? error.kind : undefined;
  return kind === "malformed" || kind === "wrong" || kind === "missing" ? kind : "failed";
}
