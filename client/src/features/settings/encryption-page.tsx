import { EncryptionSettings } from "~/features/encryption";
import { useTranslation } from "~/i18n/use-translation";
import { Page } from "~/ui/page";

export function EncryptionPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.encryption")}>
      <EncryptionSettings />
    </Page>
  );
}
