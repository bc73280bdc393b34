import { Eye, EyeOff, MonitorUp, PictureInPicture2 } from "lucide-react";
import { useRef } from "react";
import type { CallMember } from "~/calls/types";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button, IconButton } from "~/ui/button";
import { Chip } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { MemberVideo } from "./member-video";
import { popOut } from "./pop-out";
import styles from "./share.module.css";

interface ShareProps {
  roomId: RoomId;
  member: CallMember;
  isWatched: boolean;
}

/** A shared screen: an offer until one watches it. */
export function Share({ roomId, member, isWatched }: ShareProps) {
  const { t } = useTranslation("stage");
  const { calls } = useSession();
  const { name } = useMember(roomId, member.userId);
  const element = useRef<HTMLVideoElement>(null);
  const isShown = member.isMe || (isWatched && member.screenTrack !== undefined);
  const label = member.isMe ? t("yourScreen") : t("screenOf", { name });
  const leaveTo = () => {
    popOut(calls, member.key, element.current).catch(() => toast({ text: t("failed"), tone: "danger" }));
  };
  return (
    <figure aria-label={label} className={styles.share}>
      {isShown ? (
        <MemberVideo member={member} source="screen_share" label={label} element={element} />
      ) : (
        <div className={styles.offer}>
          <MonitorUp size={26} strokeWidth={1.7} aria-hidden />
          <p>{t("offers", { name })}</p>
          <Button
            kind="primary"
            icon={Eye}
            isPending={isWatched}
            onPress={() => calls.watch(member.key, true)}
          >
            {t("watch")}
          </Button>
        </div>
      )}
      <figcaption className={styles.label}>
        <Chip tone="live">{t("live")}</Chip>
        <span className={styles.name}>{label}</span>
      </figcaption>
      {isShown && (
        <div className={styles.tools}>
          <IconButton icon={PictureInPicture2} size="small" label={t("popOut")} onPress={leaveTo} />
          {!member.isMe && (
            <IconButton
              icon={EyeOff}
              size="small"
              label={t("stopWatching")}
              onPress={() => calls.watch(member.key, false)}
            />
          )}
        </div>
      )}
    </figure>
  );
}
