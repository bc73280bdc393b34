import { HeadphoneOff, Mic, MicOff, Video } from "lucide-react";
import type { CallMember } from "~/calls/types";
import { useCallMembers, useNow } from "~/hooks/calls";
import { useMediaUrl } from "~/hooks/media";
import { useMember } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import { Chip } from "~/ui/marks";
import { formatElapsed } from "./elapsed";
import styles from "./voice-participants.module.css";

/** As many as are listed by name below a channel. */
const SHOWN_MAX = 8;

/** Who is in a voice channel, below it in the list; for everybody who can see the channel. */
export function VoiceParticipants({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("voice");
  const members = useCallMembers(roomId);
  if (members.length === 0) return null;
  const more = members.length - SHOWN_MAX;
  return (
    <ul aria-label={t("inCall", { count: members.length })} className={styles.list}>
      {members.slice(0, SHOWN_MAX).map((member) => (
        <Participant key={member.key} roomId={roomId} member={member} />
      ))}
      {more > 0 && <li className={styles.more}>{t("more", { count: more })}</li>}
    </ul>
  );
}

/** For how long there has been somebody in the channel; beside its name. */
export function ElapsedChip({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("voice");
  const members = useCallMembers(roomId);
  const since = Math.min(...members.filter(({ joinedTs }) => joinedTs > 0).map(({ joinedTs }) => joinedTs));
  const isRunning = Number.isFinite(since);
  const now = useNow(isRunning);
  if (!isRunning) return null;
  return (
    <Chip tone="echo">
      <span className="sr-only">{t("runningFor")}</span>
      <time className="num">{formatElapsed(now - since)}</time>
    </Chip>
  );
}

function Participant({ roomId, member }: { roomId: RoomId; member: CallMember }) {
  const { t } = useTranslation("voice");
  const { name, avatarMxc } = useMember(roomId, member.userId);
  const src = useMediaUrl(avatarMxc, 21);
  return (
    <li className={cx(styles.row, member.isSpeaking && styles.speaking, member.isJoining && styles.joining)}>
      <Avatar name={name} seed={member.userId} src={src} size={21} isSpeaking={member.isSpeaking} />
      <span className={styles.name}>{name}</span>
      {member.isJoining && <span className={styles.note}>{t("joining")}</span>}
      <span className={styles.end}>
        {member.isSharing && <Chip tone="live">{t("live")}</Chip>}
        {member.hasCamera && <Video size={15} strokeWidth={1.9} role="img" aria-label={t("hasCamera")} />}
        {member.isDeafened ? (
          <HeadphoneOff size={15} strokeWidth={1.9} role="img" aria-label={t("isDeafened")} />
        ) : member.isMuted ? (
          <MicOff size={15} strokeWidth={1.9} role="img" aria-label={t("isMuted")} />
        ) : (
          member.isSpeaking && (
            <Mic size={15} strokeWidth={1.9} role="img" aria-label={t("isSpeaking")} className={styles.mic} />
          )
        )}
      </span>
    </li>
  );
}
