import { Mic, SendHorizontal, Trash2 } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { callSettings } from "~/calls/settings";
import { useTranslation } from "~/i18n/use-translation";
import { IconButton } from "~/ui/button";
import { toast } from "~/ui/toast";
import { LEVEL_EVERY_MS, RECORDING_MAX_MS, type Recorded, Recording } from "./recorder";
import styles from "./voice-message.module.css";

const BARS = 40;

interface VoiceMessageProps {
  onRecorded: (recorded: Recorded) => void;
  onClose: () => void;
}

/** In place of the text while somebody speaks a message: how long and how loud, away or off. */
export function VoiceMessage({ onRecorded, onClose }: VoiceMessageProps) {
  const { t } = useTranslation("composer");
  const recording = useRef<Recording>(undefined);
  const [levels, setLevels] = useState<readonly number[]>([]);
  const [isOpen, setIsOpen] = useState(false);

  useEffect(() => {
    let isGone = false;
    Recording.start((now) => setLevels([...now]), callSettings.getState().microphoneId).then(
      (started) => {
        if (isGone) return started.cancel();
        recording.current = started;
        setIsOpen(true);
      },
      () => {
        if (isGone) return;
        toast({ text: t("noMicrophone"), tone: "danger" });
        onClose();
      },
    );
    return () => {
      isGone = true;
      recording.current?.cancel();
      recording.current = undefined;
    };
  }, [t, onClose]);

  const send = useCallback(async () => {
    const now = recording.current;
    if (!now) return;
    recording.current = undefined;
    onRecorded(await now.finish(t("voiceMessage")));
    onClose();
  }, [t, onRecorded, onClose]);

  const elapsedMs = levels.length * LEVEL_EVERY_MS;
  const isTooLong = elapsedMs >= RECORDING_MAX_MS;
  useEffect(() => {
    if (isTooLong) void send();
  }, [isTooLong, send]);

  const seconds = Math.floor(elapsedMs / 1000);
  return (
    <fieldset className={styles.recording} aria-label={t("recording")}>
      <IconButton icon={Trash2} label={t("discardRecording")} onPress={onClose} />
      <Mic size={16} strokeWidth={1.9} aria-hidden className={styles.mark} />
      <time className="num">{`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`}</time>
      <span aria-hidden className={styles.bars}>
        {Array.from({ length: BARS }, (_, bar) => {
          const at = levels.length - BARS + bar;
          // biome-ignore lint/suspicious/noArrayIndexKey: the bars are places, not things.
          return <i key={bar} style={{ "--level": levels[at] ?? 0 }} />;
        })}
      </span>
      <IconButton
        icon={SendHorizontal}
        label={t("sendRecording")}
        isDisabled={!isOpen}
        className={styles.send}
        onPress={() => void send()}
      />
    </fieldset>
  );
}
