import { useLocation, useNavigate } from "@tanstack/react-router";
import { KeyRound, ShieldQuestion, X } from "lucide-react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EncryptionState } from "~/matrix/encryption/encryption";
import { Button, IconButton } from "~/ui/button";
import { dismissalOf, dismissPrompt, openEncryptionDialog, type Prompt, useDismissed } from "./dialog-state";
import styles from "./encryption.module.css";
import { useEncryption } from "./use-encryption";

/** One calm line above the main pane while something of the encryption wants its owner. */
export function VerificationPrompt() {
  const { t } = useTranslation("encryption");
  const { deviceId } = useSession();
  const state = useEncryption();
  const navigate = useNavigate();
  const isWelcome = useLocation({ select: ({ pathname }) => pathname === "/welcome" });
  const { dismissed } = useDismissed();
  const prompt = promptFor(state);
  if (!prompt || isWelcome || dismissed.includes(dismissalOf(prompt, deviceId))) return null;
  const Icon = prompt === "verify" ? ShieldQuestion : KeyRound;

  function act() {
    if (prompt === "verify") openEncryptionDialog("verify");
    else if (prompt === "createKey") openEncryptionDialog("recoveryKey");
    else void navigate({ to: "/welcome" });
  }

  return (
    <aside className={styles.prompt} aria-label={t("prompt.label")}>
      <Icon size={18} strokeWidth={1.9} aria-hidden />
      <span className={styles.promptText}>{t(`prompt.${prompt}`)}</span>
      <Button onPress={act}>{t(`prompt.${prompt}Action`)}</Button>
      <IconButton
        icon={X}
        size="small"
        label={t("prompt.dismiss")}
        onPress={() => dismissPrompt(prompt, deviceId)}
      />
    </aside>
  );
}

export function promptFor({ stage, hasRecoveryKey, unsavedKey }: EncryptionState): Prompt | undefined {
  if (stage === "unverified") return "verify";
  if (stage !== "ready") return undefined;
  if (unsavedKey) return "saveKey";
  return hasRecoveryKey ? undefined : "createKey";
}
