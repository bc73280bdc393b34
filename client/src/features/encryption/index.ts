export { ConfirmDevice } from "./confirm-device";
export { dismissPrompt, openEncryptionDialog } from "./dialog-state";
export { EncryptionDialogs } from "./encryption-dialogs";
export { EncryptionSettings } from "./encryption-settings";
export { DirectShield, IdentityMark, PersonIdentity } from "./identity";
export { IdentityLine } from "./identity-line";
export { RecoveryKey } from "./recovery-key";
export { useEncryption, useIdentity } from "./use-encryption";
export { VerificationPrompt } from "./verification-prompt";
