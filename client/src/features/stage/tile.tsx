import { HeadphoneOff, MicOff, Pin } from "lucide-react";
import { useRef } from "react";
import type { CallMember } from "~/calls/types";
import { QualityMark } from "~/features/voice";
import { useMediaUrl } from "~/hooks/media";
import { useMember } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import { MemberVideo } from "./member-video";
import { PersonMenu } from "./person-menu";
import styles from "./tile.module.css";

interface TileProps {
  roomId: RoomId;
  member: CallMember;
  isPinned: boolean;
  place?: TilePlace;
}

/** On the stage, in the strip beside who stands large, or on the card beside a chat. */
type TilePlace = "stage" | "strip" | "card";
const AVATAR_SIZE: Record<TilePlace, number> = { stage: 72, strip: 44, card: 34 };

/** One person in the call: what they show, or their picture; and how they are. */
export function Tile({ roomId, member, isPinned, place = "stage" }: TileProps) {
  const { t } = useTranslation("stage");
  const { name, avatarMxc } = useMember(roomId, member.userId);
  const isSmall = place === "card";
  const size = AVATAR_SIZE[place];
  const src = useMediaUrl(avatarMxc, size);
  const element = useRef<HTMLVideoElement>(null);
  const shown = member.isMe ? t("you") : name;
  return (
    <li
      aria-label={shown}
      className={cx(styles.tile, place !== "stage" && styles[place], member.isSpeaking && styles.speaking)}
    >
      {member.cameraTrack ? (
        <MemberVideo member={member} source="camera" label={t("cameraOf", { name })} element={element} />
      ) : (
        <Avatar name={name} seed={member.userId} src={src} size={size} />
      )}
      {member.reaction && (
        <span role="status" className={styles.reaction}>
          {member.reaction}
        </span>
      )}
      <div className={cx(styles.foot, member.cameraTrack !== undefined && styles.onVideo)}>
        <span className={styles.name}>{shown}</span>
        {member.isJoining && <span className={styles.note}>{t("joining")}</span>}
        {isPinned && <Pin size={13} strokeWidth={1.9} role="img" aria-label={t("pinned")} />}
        {member.isDeafened && (
          <HeadphoneOff size={13} strokeWidth={1.9} role="img" aria-label={t("isDeafened")} />
        )}
        {member.isMuted && (
          <MicOff size={13} strokeWidth={1.9} role="img" aria-label={t("isMuted")} className={styles.muted} />
        )}
        {!isSmall && member.quality !== "unknown" && (
          <span className={styles.quality}>
            <QualityMark quality={member.quality} />
          </span>
        )}
      </div>
      {!isSmall && <PersonMenu roomId={roomId} member={member} name={name} isPinned={isPinned} />}
    </li>
  );
}
