import { supportsCalls } from "~/calls/calls";
import type { CallSettings } from "~/calls/settings";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Group } from "~/ui/page";
import { CameraSettings, MicrophoneSettings, SpeakerSettings } from "./device-settings";
import { TalkKey } from "./talk-key";

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
    <>
      <Group title={t("devices")}>
        <MicrophoneSettings />
        <SpeakerSettings />
        <CameraSettings />
      </Group>
      <Group title={t("processing")}>
        <Toggle name="noiseSuppression" isDisabled={isMusic} />
        <Toggle name="echoCancellation" isDisabled={isMusic} />
        <Toggle name="autoGainControl" isDisabled={isMusic} />
        <Toggle name="musicMode" />
      </Group>
      <Group title={t("talking")}>
        <Toggle name="pushToTalk" />
        {talksByKey && <TalkKey />}
        <Toggle name="joinsMuted" />
        <Toggle name="looksFirst" />
        <Toggle name="ringSound" />
      </Group>
      <Group title={t("bandwidth")}>
        <Toggle name="lowBandwidth" />
      </Group>
    </>
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
