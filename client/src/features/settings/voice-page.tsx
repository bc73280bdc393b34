import { VoiceSettings } from "~/features/voice";
import { useTranslation } from "~/i18n/use-translation";
import { Page } from "~/ui/page";

export function VoicePage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.voice")}>
      <VoiceSettings />
    </Page>
  );
}
