import { useState } from "react";
import { callSettings } from "~/calls/settings";
import { CameraChoice, MicrophoneChoice, SpeakerSettings, useJoinVoice } from "~/features/voice";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Switch } from "~/ui/field";
import styles from "./prejoin.module.css";

/** Before a call: does the microphone work, what does the camera see, and how does one come in. */
export function PrejoinDialog({ roomId, onClose }: { roomId: RoomId; onClose: () => void }) {
  const { t } = useTranslation(["prejoin", "ui"]);
  const name = useRoom(roomId)?.name ?? "";
  const { join } = useJoinVoice();
  const [isMuted, setIsMuted] = useState(callSettings.getState().joinsMuted);
  const [withCamera, setWithCamera] = useState(false);

  function enter() {
    // First, so that microphone and camera are free when the call opens them.
    onClose();
    void join(roomId, { withCamera, isMuted });
  }

  return (
    <Dialog
      title={t("title", { name })}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("ui:cancel")}
          </Button>
          <Button kind="primary" onPress={enter}>
            {t("join")}
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        <MicrophoneChoice />
        <Switch label={t("muted")} hint={t("mutedHint")} isSelected={isMuted} onChange={setIsMuted} />
        <SpeakerSettings />
        <Switch label={t("camera")} hint={t("cameraHint")} isSelected={withCamera} onChange={setWithCamera} />
        {withCamera && <CameraChoice onFailed={() => setWithCamera(false)} />}
      </div>
    </Dialog>
  );
}
