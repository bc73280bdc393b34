import { useTranslation } from "react-i18next";
import { useCallSettings, useDevices } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { Select } from "~/ui/select";

const KINDS = {
  microphone: { devices: "microphones", setting: "microphoneId" },
  camera: { devices: "cameras", setting: "cameraId" },
  speaker: { devices: "speakers", setting: "speakerId" },
} as const;

/** The system's own, whichever that is. */
const DEFAULT = "default";

interface DeviceChoiceProps {
  kind: keyof typeof KINDS;
  /** The browser may tell the devices' names by now: one of the kind is open. */
  isAllowed: boolean;
  onChosen?: () => void;
}

/** Which device of a kind calls use, in the settings and before a call alike; it holds at once. */
export function DeviceChoice({ kind, isAllowed, onChosen }: DeviceChoiceProps) {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const { devices: list, setting } = KINDS[kind];
  const devices = useDevices(isAllowed)[list];
  const chosen = useCallSettings((settings) => settings[setting]);
  // A device that is not plugged in stays chosen, and the system's own stands in.
  const isThere = devices.some(({ id }) => id === chosen);
  return (
    <Select
      label={t(kind)}
      value={isThere ? chosen : DEFAULT}
      options={[{ id: DEFAULT, label: t("defaultDevice") }, ...devices]}
      onChange={(id) => {
        calls.changeSettings({ [setting]: id === DEFAULT ? "" : id });
        onChosen?.();
      }}
    />
  );
}
