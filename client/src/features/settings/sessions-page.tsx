import { SessionsSettings } from "~/features/sessions";
import { useTranslation } from "~/i18n/use-translation";
import { Page } from "~/ui/page";

export function SessionsPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.sessions")}>
      <SessionsSettings />
    </Page>
  );
}
