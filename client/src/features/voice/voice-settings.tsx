import { useTranslation } from "react-i18next";
import { supportsCalls } from "~/calls/calls";
import type { CallSettings } from "~/calls/settings";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { CameraSettings, MicrophoneSettings, SpeakerSettings } from "./device-settings";
import { TalkKey } from "./talk-key";
import styles from "./voice-settings.module.css";

type Flag = {
  [Name in keyof CallSettings]: CallSettings[Name] extends boolean ? Name : never;
}[keyof CallSettings];

/** Voice and video of this device: what to use, how it sounds, and how to talk. */
export function VoiceSettings() {
  const { t } = useTranslation("voice-settings");
  const talksByKey = useCallSettings((settings) => settings.pushToTalk);
  const isMusic = useCallSettings((settings) => settings.musicMode);
  if (!supportsCalls()) return <Notice tone="ember">{t("unsupported")}</Notice>;
  return (
    <div className={styles.settings}>
      <section aria-labelledby="voice-devices" className={styles.group}>
        <h2 id="voice-devices">{t("devices")}</h2>
        <MicrophoneSettings />
        <SpeakerSettings />
        <CameraSettings />
      </section>
      <section aria-labelledby="voice-processing" className={styles.group}>
        <h2 id="voice-processing">{t("processing")}</h2>
        <Toggle name="noiseSuppression" isDisabled={isMusic} />
        <Toggle name="echoCancellation" isDisabled={isMusic} />
        <Toggle name="autoGainControl" isDisabled={isMusic} />
        <Toggle name="musicMode" />
      </section>
      <section aria-labelledby="voice-talking" className={styles.group}>
        <h2 id="voice-talking">{t("talking")}</h2>
        <Toggle name="pushToTalk" />
        {talksByKey && <TalkKey />}
        <Toggle name="joinsMuted" />
        <Toggle name="ringSound" />
      </section>
      <section aria-labelledby="voice-bandwidth" className={styles.group}>
        <h2 id="voice-bandwidth">{t("bandwidth")}</h2>
        <Toggle name="lowBandwidth" />
      </section>
    </div>
  );
}

function Toggle({ name, isDisabled }: { name: Flag; isDisabled?: boolean }) {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const isOn = useCallSettings((settings) => settings[name]);
  return (
    <Switch
      label={t(`${name}.label`)}
      hint={t(`${name}.hint`)}
      isSelected={isOn}
      isDisabled={isDisabled ?? false}
      onChange={(value) => calls.changeSettings({ [name]: value })}
    />
  );
}
