import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { openEncryptionDialog } from "./dialog-state";
import { useEncryption } from "./use-encryption";

/** The way on beside a message that this device has no key for: there while the device is not confirmed. */
export function ConfirmDevice() {
  const { t } = useTranslation("encryption");
  const { stage } = useEncryption();
  if (stage !== "unverified") return null;
  return (
    <Button kind="quiet" onPress={() => openEncryptionDialog("verify")}>
      {t("confirmDevice")}
    </Button>
  );
}
