import { ConfirmIdentity } from "./confirm-identity";
import { closeEncryptionDialog, useEncryptionDialog } from "./dialog-state";
import { EmojiDialog } from "./emoji-dialog";
import { KeyFileDialog } from "./key-file-dialog";
import { RecoveryKeyDialog } from "./recovery-key-dialog";
import { ResetDialog } from "./reset-dialog";
import { VerifyDialog } from "./verify-dialog";

/** The windows about keys and about who one is; one of each, for the whole client. */
export function EncryptionDialogs() {
  const { open } = useEncryptionDialog();
  const onClose = closeEncryptionDialog;
  return (
    <>
      {open === "verify" && <VerifyDialog onClose={onClose} />}
      {open === "recoveryKey" && <RecoveryKeyDialog onClose={onClose} />}
      {open === "reset" && <ResetDialog onClose={onClose} />}
      {open === "exportKeys" && <KeyFileDialog direction="export" onClose={onClose} />}
      {open === "importKeys" && <KeyFileDialog direction="import" onClose={onClose} />}
      <EmojiDialog />
      <ConfirmIdentity />
    </>
  );
}
