import { ChevronDown } from "lucide-react";
import { Button } from "react-aria-components/Button";
import type { Device } from "~/calls/devices";
import { useCallSettings, useDevices } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { type ChoiceGroup, ChoiceMenu } from "~/ui/choice-menu";

const DEFAULT = "default";

/** Which microphone, and where others are heard. */
export function MicrophoneMenu({ className }: { className: string | undefined }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const { microphones, speakers } = useDevices(true);
  const microphoneId = useCallSettings((settings) => settings.microphoneId);
  const speakerId = useCallSettings((settings) => settings.speakerId);
  const choices = useChoices();
  const groups: ChoiceGroup[] = [
    {
      id: "microphone",
      label: t("microphone"),
      chosen: microphoneId || DEFAULT,
      choices: choices(microphones),
      onChoose: (id) => calls.changeSettings({ microphoneId: id === DEFAULT ? "" : id }),
    },
    {
      id: "speaker",
      label: t("speaker"),
      chosen: speakerId || DEFAULT,
      choices: choices(speakers),
      onChoose: (id) => calls.changeSettings({ speakerId: id === DEFAULT ? "" : id }),
    },
  ];
  return <DeviceMenu label={t("microphoneMenu")} groups={groups} className={className} />;
}

export function CameraMenu({ className }: { className: string | undefined }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const { cameras } = useDevices(true);
  const cameraId = useCallSettings((settings) => settings.cameraId);
  const choices = useChoices();
  const groups: ChoiceGroup[] = [
    {
      id: "camera",
      label: t("camera"),
      chosen: cameraId || DEFAULT,
      choices: choices(cameras),
      onChoose: (id) => calls.changeSettings({ cameraId: id === DEFAULT ? "" : id }),
    },
  ];
  return <DeviceMenu label={t("cameraMenu")} groups={groups} className={className} />;
}

/** The system's default first, then what there is. */
function useChoices() {
  const { t } = useTranslation("voice");
  return (devices: readonly Device[]) => [{ id: DEFAULT, label: t("defaultDevice") }, ...devices];
}

function DeviceMenu(props: { label: string; groups: ChoiceGroup[]; className: string | undefined }) {
  return (
    <ChoiceMenu label={props.label} groups={props.groups}>
      <Button aria-label={props.label} className={props.className ?? ""}>
        <ChevronDown size={13} strokeWidth={2} aria-hidden />
      </Button>
    </ChoiceMenu>
  );
}
