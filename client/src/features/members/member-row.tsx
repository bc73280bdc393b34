import { Volume2 } from "lucide-react";
import { memo } from "react";
import { IdentityMark, useIdentity } from "~/features/encryption";
import { ProfileTrigger, useTitle } from "~/features/profile";
import { useCallSettings } from "~/hooks/calls";
import { useMediaUrl } from "~/hooks/media";
import { useIsIgnored, usePresence } from "~/hooks/people";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Member } from "~/matrix/members";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import styles from "./members.module.css";

interface MemberRowProps {
  roomId: RoomId;
  member: Member;
  /** The name of the voice channel that they are in. */
  voiceChannel: string | undefined;
}

/** Somebody in the list; pressing opens their card. */
export const MemberRow = memo(function MemberRow({ roomId, member, voiceChannel }: MemberRowProps) {
  const { t } = useTranslation("members");
  const presence = usePresence(member.userId);
  const src = useMediaUrl(member.avatarMxc, 32);
  const ownLine = useStatusLine(member);
  const line = voiceChannel === undefined ? ownLine : t("inVoice", { channel: voiceChannel });
  const isInvited = member.membership === "invite";
  const isConfirmed = useIdentity(member.userId) === "confirmed";
  return (
    <ProfileTrigger
      roomId={roomId}
      userId={member.userId}
      className={cx(styles.row, presence.state === "offline" && styles.off)}
      label={[
        member.name,
        !isInvited && t(`presence.${presence.state}`),
        line,
        isConfirmed && t("isConfirmed"),
      ]
        .filter(Boolean)
        .join(", ")}
      data-member={member.userId}
    >
      <Avatar
        name={member.name}
        seed={member.userId}
        src={src}
        size={32}
        presence={isInvited ? undefined : presence.state}
      />
      <span className={styles.text}>
        <span className={styles.name}>
          {member.name} <IdentityMark userId={member.userId} />
        </span>
        {line && (
          <small className={styles.line}>
            {voiceChannel !== undefined && <Volume2 size={13} strokeWidth={1.9} aria-hidden />}
            {line}
          </small>
        )}
      </span>
    </ProfileTrigger>
  );
});

/** What stands below a name: their own words, else what they do here, else since when they are away. */
function useStatusLine({ userId, membership, partnerServer }: Member): string {
  const { t } = useTranslation("members");
  const { state, text, lastActiveTs } = usePresence(userId);
  const times = useTimes();
  const isIgnored = useIsIgnored(userId);
  const isSparing = useCallSettings((settings) => settings.lowBandwidth);
  const title = useTitle(userId, text === "" && partnerServer === undefined && !isSparing);
  if (isIgnored) return t("ignored");
  if (membership === "invite") return t("isInvited");
  if (text) return text;
  if (state === "busy") return t("presence.busy");
  if (title) return title;
  if (lastActiveTs === 0) return "";
  if (state === "away") return t("awaySince", { time: times.since(lastActiveTs) });
  return state === "offline" ? t("lastSeen", { time: times.since(lastActiveTs) }) : "";
}
