import { Keyboard, PhoneOutgoing } from "lucide-react";
import type { CurrentCall, Hindrance } from "~/calls/types";
import { useCallSettings } from "~/hooks/calls";
import { useNameList } from "~/hooks/name-list";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { keyName } from "./key-name";
import styles from "./voice.module.css";

const NAMED_MAX = 3;

/** What one should know about one's own part in the call, with what helps. */
export function CallHints({ call }: { call: CurrentCall }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const { calling } = useSlice(calls.ringing.outgoing, "outgoing");
  const talkKey = useCallSettings((settings) => settings.pushToTalkKey);
  const { microphoneHindrance, cameraHindrance } = call;
  const isCalling = calling?.state === "ringing" && calling.roomId === call.roomId;
  const hasAny =
    isCalling ||
    call.isPushToTalk ||
    microphoneHindrance ||
    cameraHindrance ||
    call.needsClick ||
    call.unheard.length > 0 ||
    call.offersLowBandwidth;
  if (!hasAny) return null;
  const retry = (hindrance: Hindrance, action: () => Promise<void>) =>
    hindrance === "forbidden" ? null : <Button onPress={() => void action()}>{t("tryAgain")}</Button>;
  return (
    <div role="status" className={styles.hints}>
      {isCalling && (
        <p className={styles.note}>
          <PhoneOutgoing size={14} strokeWidth={1.9} aria-hidden />
          {t("calling")}
        </p>
      )}
      {call.isPushToTalk && !microphoneHindrance && (
        <p className={styles.note}>
          <Keyboard size={14} strokeWidth={1.9} aria-hidden />
          {t("holdToTalk", { key: keyName(talkKey) })}
        </p>
      )}
      {call.needsClick && (
        <p className={styles.hint}>
          <span>{t("needsClick")}</span>
          <Button kind="primary" onPress={() => void calls.startAudio()}>
            {t("playSound")}
          </Button>
        </p>
      )}
      {call.unheard.length > 0 && <Unheard call={call} />}
      {microphoneHindrance && (
        <p className={styles.hint}>
          <span>{t(`noMicrophone.${microphoneHindrance}`)}</span>
          {retry(microphoneHindrance, () => calls.setMuted(false))}
        </p>
      )}
      {cameraHindrance && (
        <p className={styles.hint}>
          <span>{t(`noCamera.${cameraHindrance}`)}</span>
          {retry(cameraHindrance, () => calls.setCamera(true))}
        </p>
      )}
      {call.offersLowBandwidth && (
        <p className={styles.hint}>
          <span>{t("offerLowBandwidth")}</span>
          <Button kind="primary" onPress={() => calls.changeSettings({ lowBandwidth: true })}>
            {t("useLowBandwidth")}
          </Button>
          <Button kind="quiet" onPress={() => calls.dismissLowBandwidth()}>
            {t("notNow")}
          </Button>
        </p>
      )}
    </div>
  );
}

/** Names those whose SFU is out of reach: the connection that the bars show is our own, and may be excellent. */
function Unheard({ call: { roomId, unheard } }: { call: CurrentCall }) {
  const { t } = useTranslation("voice");
  const names = useNameList(roomId, unheard, NAMED_MAX);
  return <p className={styles.hint}>{t("unheard", { names })}</p>;
}
