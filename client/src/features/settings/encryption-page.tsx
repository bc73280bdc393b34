import { useTranslation } from "react-i18next";
import { EncryptionSettings } from "~/features/encryption";
import { Page } from "~/ui/page";

export function EncryptionPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.encryption")}>
      <EncryptionSettings />
    </Page>
  );
}
