import {
  HeadphoneOff,
  Headphones,
  type LucideIcon,
  Mic,
  MicOff,
  MonitorUp,
  MonitorX,
  PhoneOff,
  Video,
  VideoOff,
} from "lucide-react";
import { Button } from "react-aria-components/Button";
import type { CurrentCall } from "~/calls/types";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import { toast } from "~/ui/toast";
import { WithTooltip } from "~/ui/tooltip";
import { CameraMenu, MicrophoneMenu } from "./device-menu";
import { ReactionButton } from "./reaction-button";
import styles from "./voice.module.css";

/** What one does in a call, all within one row. On phones only the most needed, unless `isWhole`. */
export function CallControls({ call, isWhole = false }: { call: CurrentCall; isWhole?: boolean }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const run = (action: Promise<void>) => {
    action.catch(() => toast({ text: t("actionFailed"), tone: "danger" }));
  };
  const isSilent = call.isMuted || call.microphoneHindrance !== undefined;
  return (
    <div role="toolbar" aria-label={t("controls")} className={cx(styles.controls, isWhole && styles.whole)}>
      <div className={cx(styles.split, isSilent ? styles.off : styles.on)}>
        <Control
          className={styles.main}
          icon={isSilent ? MicOff : Mic}
          label={isSilent ? t("unmute") : t("mute")}
          keys="Control+Shift+M"
          isDisabled={!call.maySpeak}
          onPress={() => run(calls.setMuted(!call.isMuted))}
        />
        <MicrophoneMenu className={styles.caret} />
      </div>
      <Control
        className={cx(styles.control, styles.wide, call.isDeafened && styles.off)}
        icon={call.isDeafened ? HeadphoneOff : Headphones}
        label={call.isDeafened ? t("undeafen") : t("deafen")}
        keys="Control+Shift+D"
        onPress={() => run(calls.setDeafened(!call.isDeafened))}
      />
      <div className={cx(styles.split, styles.wide, call.hasCamera && styles.on)}>
        <Control
          className={styles.main}
          icon={call.hasCamera ? Video : VideoOff}
          label={call.hasCamera ? t("stopCamera") : t("startCamera")}
          keys="Control+Shift+E"
          isDisabled={!call.mayShow}
          onPress={() => run(calls.setCamera(!call.hasCamera))}
        />
        <CameraMenu className={styles.caret} />
      </div>
      <Control
        className={cx(styles.control, styles.wide, call.isSharing && styles.on)}
        icon={call.isSharing ? MonitorX : MonitorUp}
        label={call.isSharing ? t("stopSharing") : t("share")}
        isDisabled={!call.mayShare}
        onPress={() => run(calls.setScreen(!call.isSharing))}
      />
      <ReactionButton className={cx(styles.control, styles.wide)} />
      <Control
        className={cx(styles.control, styles.end)}
        icon={PhoneOff}
        label={t("leave")}
        keys="Control+Shift+L"
        onPress={() => run(calls.leave())}
      />
    </div>
  );
}

interface ControlProps {
  icon: LucideIcon;
  label: string;
  keys?: string;
  isDisabled?: boolean;
  className: string | undefined;
  onPress: () => void;
}

function Control({ icon: Icon, label, keys, isDisabled, className, onPress }: ControlProps) {
  return (
    <WithTooltip text={label}>
      <Button
        aria-label={label}
        {...(keys ? { "aria-keyshortcuts": keys } : {})}
        isDisabled={isDisabled ?? false}
        onPress={onPress}
        className={className ?? ""}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
      </Button>
    </WithTooltip>
  );
}
