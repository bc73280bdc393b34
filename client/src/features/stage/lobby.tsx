import { LogIn, SlidersHorizontal, Video } from "lucide-react";
import type { CallMember } from "~/calls/types";
import { useJoinVoice } from "~/features/voice";
import { useCallMembers } from "~/hooks/calls";
import { openDialog } from "~/hooks/dialogs";
import { useMediaUrl } from "~/hooks/media";
import { useMember, useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import styles from "./lobby.module.css";

const SHOWN_MAX = 12;

/** Who is in the call, and one click to join them. */
export function Lobby({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("stage");
  const { join, prepare } = useJoinVoice();
  const members = useCallMembers(roomId);
  const room = useRoom(roomId);
  return (
    <section aria-label={t("lobby")} className={styles.lobby}>
      {members.length > 0 && (
        <ul className={styles.people}>
          {members.slice(0, SHOWN_MAX).map((member) => (
            <Person key={member.key} roomId={roomId} member={member} />
          ))}
        </ul>
      )}
      <p className={styles.words}>
        {members.length > 0 ? t("inside", { count: members.length }) : t("empty", { name: room?.name ?? "" })}
      </p>
      <div className={styles.ways}>
        <Button
          kind="primary"
          icon={LogIn}
          className={styles.join}
          onHoverStart={prepare}
          onPress={() => void join(roomId)}
        >
          {t("join")}
        </Button>
        <Button
          icon={Video}
          className={styles.join}
          onHoverStart={prepare}
          onPress={() => void join(roomId, { withCamera: true })}
        >
          {t("joinWithCamera")}
        </Button>
        <Button
          kind="quiet"
          icon={SlidersHorizontal}
          className={styles.join}
          onHoverStart={prepare}
          onPress={() => openDialog({ kind: "prejoin", roomId })}
        >
          {t("look")}
        </Button>
      </div>
    </section>
  );
}

function Person({ roomId, member }: { roomId: RoomId; member: CallMember }) {
  const { name, avatarMxc } = useMember(roomId, member.userId);
  const src = useMediaUrl(avatarMxc, 52);
  return (
    <li className={styles.person}>
      <Avatar name={name} seed={member.userId} src={src} size={52} />
      <span className={styles.name}>{name}</span>
    </li>
  );
}
