import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { type Theme, usePreferences } from "~/hooks/preferences";
import { useTimes } from "~/hooks/times";
import { LANGUAGES, type Language, preferredLanguage, setLanguage } from "~/i18n";
import { useTranslation } from "~/i18n/use-translation";
import { Group, Page } from "~/ui/page";
import { Segments } from "~/ui/segments";
import { Select } from "~/ui/select";
import styles from "./settings.module.css";

const THEMES: readonly { id: Theme; icon: typeof Sun }[] = [
  { id: "system", icon: Monitor },
  { id: "dark", icon: Moon },
  { id: "light", icon: Sun },
];
const TEXT_SCALES = ["0.87", "1", "1.12", "1.25", "1.5"] as const;
/** Each language in its own words, so that whoever needs it can read it. */
const LANGUAGE_NAMES: Record<Language, string> = { en: "English", de: "Deutsch" };

export function AppearancePage() {
  const { t } = useTranslation("settings");
  const preferences = usePreferences();
  const set = usePreferences.setState;
  const [language, choose] = useState(preferredLanguage());
  return (
    <Page title={t("page.appearance")}>
      <Group title={t("appearance.look")}>
        <Segments
          label={t("appearance.theme")}
          value={preferences.theme}
          options={THEMES.map(({ id, icon }) => ({ id, icon, label: t(`appearance.themes.${id}`) }))}
          onChange={(theme) => set({ theme })}
        />
        <Segments
          label={t("appearance.density")}
          value={preferences.density}
          options={(["cosy", "compact"] as const).map((id) => ({
            id,
            label: t(`appearance.densities.${id}`),
          }))}
          onChange={(density) => set({ density })}
        />
        <Segments
          label={t("appearance.textSize")}
          value={TEXT_SCALES.find((scale) => Number(scale) === preferences.textScale)}
          options={TEXT_SCALES.map((id) => ({ id, label: `${Math.round(Number(id) * 100)} %` }))}
          onChange={(scale) => set({ textScale: Number(scale) })}
        />
        <Sample />
      </Group>
      <Group title={t("appearance.words")}>
        <Select
          label={t("appearance.language")}
          value={language}
          options={LANGUAGES.map((id) => ({ id, label: LANGUAGE_NAMES[id] }))}
          onChange={(id) => {
            choose(id);
            void setLanguage(id);
          }}
        />
        <Segments
          label={t("appearance.clock")}
          value={preferences.timeFormat}
          options={(["system", "24", "12"] as const).map((id) => ({
            id,
            label: t(`appearance.clocks.${id}`),
          }))}
          onChange={(timeFormat) => set({ timeFormat })}
        />
      </Group>
    </Page>
  );
}

/** How messages look with these settings. */
function Sample() {
  const { t } = useTranslation("settings");
  const times = useTimes();
  const afternoon = new Date().setHours(14, 5, 0, 0);
  return (
    <div className={styles.sample}>
      <p>
        <span className={styles.sampleName}>Mira Okafor</span>
        <span className={styles.sampleTime}>{times.clock(afternoon)}</span>
      </p>
      <p>{t("appearance.sample")}</p>
    </div>
  );
}
