import { usePreferences } from "~/hooks/preferences";
import { useShortcutSettings } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import { Switch } from "~/ui/field";
import { Group, Page } from "~/ui/page";

export function AccessibilityPage() {
  const { t } = useTranslation("settings");
  const preferences = usePreferences();
  const { usesLetters } = useShortcutSettings();
  const set = usePreferences.setState;
  return (
    <Page title={t("page.accessibility")}>
      <Group>
        <Switch
          label={t("accessibility.announce")}
          hint={t("accessibility.announceHint")}
          isSelected={preferences.announcesMessages}
          onChange={(announcesMessages) => set({ announcesMessages })}
        />
        <Switch
          label={t("accessibility.letters")}
          hint={t("accessibility.lettersHint")}
          isSelected={usesLetters}
          onChange={(isOn) => useShortcutSettings.setState({ usesLetters: isOn })}
        />
        <Switch
          label={t("accessibility.motion")}
          hint={t("accessibility.motionHint")}
          isSelected={preferences.motion === "reduced"}
          onChange={(isReduced) => set({ motion: isReduced ? "reduced" : "system" })}
        />
        <Switch
          label={t("accessibility.links")}
          isSelected={preferences.underlinesLinks}
          onChange={(underlinesLinks) => set({ underlinesLinks })}
        />
      </Group>
    </Page>
  );
}
