import { useTranslation } from "react-i18next";
import { useMember } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import type { TimelineMessage } from "~/matrix/timeline";
import { Avatar } from "~/ui/avatar";
import styles from "./timeline.module.css";

export function Timeline({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("timeline");
  const messages = useSlice(useSession().timelines.live, roomId);
  return (
    <div role="log" aria-label={t("messages")} className={styles.timeline}>
      {messages.map((message) => (
        <Message key={message.key} roomId={roomId} message={message} />
      ))}
    </div>
  );
}

function Message({ roomId, message }: { roomId: RoomId; message: TimelineMessage }) {
  const { name } = useMember(roomId, message.sender);
  return (
    <article className={styles.message}>
      <Avatar name={name} seed={message.sender} />
      <div>
        <b>{name}</b>
        <p>{message.body}</p>
      </div>
    </article>
  );
}
