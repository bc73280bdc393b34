import { KeyRound } from "lucide-react";
import { RecoveryKey, useEncryption } from "~/features/encryption";
import { useTranslation } from "~/i18n/use-translation";
import { Spinner } from "~/ui/marks";
import { Card } from "./card";

/** The key that was made with the account. */
export function KeyCard() {
  const { t } = useTranslation("onboarding");
  const { stage, unsavedKey, hasRecoveryKey } = useEncryption();
  const isPending = stage === "checking" || stage === "settingUp";
  const isDone = !isPending && !unsavedKey && hasRecoveryKey;
  const done = t(stage === "unverified" ? "key.unverified" : "key.saved");
  return (
    <Card icon={KeyRound} title={t("key.title")} text={isDone ? done : t("key.text")} isDone={isDone}>
      {isPending && <Spinner label={t("key.pending")} />}
      {unsavedKey && <RecoveryKey recoveryKey={unsavedKey} />}
    </Card>
  );
}
