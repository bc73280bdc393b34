import { useTranslation } from "react-i18next";
import { SessionsSettings } from "~/features/sessions";
import { Page } from "~/ui/page";

export function SessionsPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.sessions")}>
      <SessionsSettings />
    </Page>
  );
}
