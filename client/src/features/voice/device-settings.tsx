import { useEffect, useRef, useState } from "react";
import { closeStream, openCamera } from "~/calls/device-test";
import { VOLUME_MAX } from "~/calls/settings";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { Slider } from "~/ui/slider";
import { toast } from "~/ui/toast";
import { DeviceChoice } from "./device-choice";
import { MicrophoneMeter } from "./microphone-meter";
import styles from "./voice-settings.module.css";

export function MicrophoneSettings() {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const [isTesting, setIsTesting] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const inputGain = useCallSettings((settings) => settings.inputGain);
  return (
    <>
      <DeviceChoice kind="microphone" isAllowed={isTesting} />
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
      <DeviceChoice kind="microphone" isAllowed onChosen={() => setHasFailed(false)} />
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
      <DeviceChoice kind="camera" isAllowed />
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
  return <DeviceChoice kind="speaker" isAllowed />;
}

export function CameraSettings() {
  const { t } = useTranslation("voice-settings");
  const [isTesting, setIsTesting] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const cameraId = useCallSettings((settings) => settings.cameraId);
  return (
    <>
      <DeviceChoice kind="camera" isAllowed={isTesting} />
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
