import { ModerationLog } from "~/features/moderation";
import { useTranslation } from "~/i18n/use-translation";
import { Page } from "~/ui/page";

export function ModerationPage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.moderation")}>
      <ModerationLog />
    </Page>
  );
}
