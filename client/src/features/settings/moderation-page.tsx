import { useTranslation } from "react-i18next";
import { ModerationLog } from "~/features/moderation";
import { Page } from "~/ui/page";

export function ModerationPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.moderation")}>
      <ModerationLog />
    </Page>
  );
}
