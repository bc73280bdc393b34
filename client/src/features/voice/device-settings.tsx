import { useEffect, useRef, useState } from "react";
import { closeStream, openCamera } from "~/calls/device-test";
import type { Device } from "~/calls/devices";
import { VOLUME_MAX } from "~/calls/settings";
import { useCallSettings, useDevices } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import { Slider } from "~/ui/slider";
import { toast } from "~/ui/toast";
import { MicrophoneMeter } from "./microphone-meter";
import styles from "./voice-settings.module.css";

const DEFAULT = "default";

interface DeviceSelectProps {
  label: string;
  devices: readonly Device[];
  value: string;
  onChange: (id: string) => void;
}

function DeviceSelect({ label, devices, value, onChange }: DeviceSelectProps) {
  const { t } = useTranslation("voice-settings");
  // A device that is not plugged in stays chosen, and the system's own stands in.
  const isThere = devices.some(({ id }) => id === value);
  return (
    <Select
      label={label}
      value={isThere ? value : DEFAULT}
      options={[{ id: DEFAULT, label: t("defaultDevice") }, ...devices]}
      onChange={(id) => onChange(id === DEFAULT ? "" : id)}
    />
  );
}

interface ChoiceProps {
  /** The browser has been asked, or is: it tells what the devices are called only then. */
  isAsked: boolean;
  onChosen?: () => void;
}

function MicrophoneSelect({ isAsked, onChosen }: ChoiceProps) {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const { microphones } = useDevices(isAsked);
  const microphoneId = useCallSettings((settings) => settings.microphoneId);
  return (
    <DeviceSelect
      label={t("microphone")}
      devices={microphones}
      value={microphoneId}
      onChange={(id) => {
        onChosen?.();
        calls.changeSettings({ microphoneId: id });
      }}
    />
  );
}

function CameraSelect({ isAsked }: Omit<ChoiceProps, "onChosen">) {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const { cameras } = useDevices(isAsked);
  const cameraId = useCallSettings((settings) => settings.cameraId);
  return (
    <DeviceSelect
      label={t("camera")}
      devices={cameras}
      value={cameraId}
      onChange={(id) => calls.changeSettings({ cameraId: id })}
    />
  );
}

export function MicrophoneSettings() {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const [isTesting, setIsTesting] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const inputGain = useCallSettings((settings) => settings.inputGain);
  return (
    <>
      <MicrophoneSelect isAsked={isTesting} />
      <Slider
        label={t("inputGain")}
        value={inputGain}
        min={0}
        max={VOLUME_MAX}
        step={0.05}
        format={{ style: "percent" }}
        onChange={(value) => calls.changeSettings({ inputGain: value })}
      />
      <div className={styles.test}>
        <Button
          onPress={() => {
            setHasFailed(false);
            setIsTesting(!isTesting);
          }}
        >
          {isTesting ? t("stopTest") : t("testMicrophone")}
        </Button>
        {isTesting && (
          <MicrophoneMeter
            onFailed={() => {
              setHasFailed(true);
              setIsTesting(false);
            }}
          />
        )}
      </div>
      {hasFailed && <Notice tone="danger">{t("microphoneFailed")}</Notice>}
    </>
  );
}

/** Before a call: which microphone, and that it hears something. */
export function MicrophoneChoice() {
  const { t } = useTranslation("voice-settings");
  const [hasFailed, setHasFailed] = useState(false);
  return (
    <>
      <MicrophoneSelect isAsked onChosen={() => setHasFailed(false)} />
      {hasFailed ? (
        <Notice tone="ember">{t("microphoneFailed")}</Notice>
      ) : (
        <div className={styles.choice}>
          <MicrophoneMeter onFailed={() => setHasFailed(true)} />
        </div>
      )}
    </>
  );
}

/** Before a call: which camera, and what it sees. */
export function CameraChoice({ onFailed }: { onFailed: () => void }) {
  const { t } = useTranslation("voice-settings");
  const cameraId = useCallSettings((settings) => settings.cameraId);
  return (
    <>
      <CameraSelect isAsked />
      <CameraPreview
        cameraId={cameraId}
        onFailed={() => {
          toast({ text: t("cameraFailed"), tone: "danger" });
          onFailed();
        }}
      />
    </>
  );
}

/** Most browsers let a page choose where it sounds; the others have the system's settings for it. */
export function SpeakerSettings() {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const { speakers } = useDevices(true);
  const speakerId = useCallSettings((settings) => settings.speakerId);
  return (
    <DeviceSelect
      label={t("speaker")}
      devices={speakers}
      value={speakerId}
      onChange={(id) => calls.changeSettings({ speakerId: id })}
    />
  );
}

export function CameraSettings() {
  const { t } = useTranslation("voice-settings");
  const [isTesting, setIsTesting] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const cameraId = useCallSettings((settings) => settings.cameraId);
  return (
    <>
      <CameraSelect isAsked={isTesting} />
      {isTesting && (
        <CameraPreview
          cameraId={cameraId}
          onFailed={() => {
            setHasFailed(true);
            setIsTesting(false);
          }}
        />
      )}
      <div className={styles.test}>
        <Button
          onPress={() => {
            setHasFailed(false);
            setIsTesting(!isTesting);
          }}
        >
          {isTesting ? t("stopTest") : t("testCamera")}
        </Button>
      </div>
      {hasFailed && <Notice tone="danger">{t("cameraFailed")}</Notice>}
    </>
  );
}

function CameraPreview({ cameraId, onFailed }: { cameraId: string; onFailed: () => void }) {
  const { t } = useTranslation("voice-settings");
  const video = useRef<HTMLVideoElement>(null);
  const failed = useRef(onFailed);
  failed.current = onFailed;
  useEffect(() => {
    let isGone = false;
    let open: MediaStream | undefined;
    openCamera(cameraId).then(
      (stream) => {
        open = stream;
        if (isGone) closeStream(stream);
        else if (video.current) video.current.srcObject = stream;
      },
      () => {
        if (!isGone) failed.current();
      },
    );
    return () => {
      isGone = true;
      if (open) closeStream(open);
    };
  }, [cameraId]);
  return (
    <video ref={video} aria-label={t("preview")} className={styles.preview} autoPlay playsInline muted />
  );
}
