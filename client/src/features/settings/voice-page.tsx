import { useTranslation } from "react-i18next";
import { VoiceSettings } from "~/features/voice";
import { Page } from "~/ui/page";

export function VoicePage() {
  const { t } = useTranslation("settings");
  return (
    <Page title={t("page.voice")}>
      <VoiceSettings />
    </Page>
  );
}
