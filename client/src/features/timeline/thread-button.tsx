import { shortName } from "~/hooks/name-list";
import { useMember } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import type { ThreadSummary } from "~/matrix/timeline";
import { Badge } from "~/ui/marks";
import { PersonAvatar } from "./person-avatar";
import styles from "./thread-button.module.css";
import { useMessageTimes } from "./times";

/** The thread that hangs on a message: how many answers, by whom, and when the last. */
export function ThreadButton({
  roomId,
  thread,
  onOpen,
}: {
  roomId: RoomId;
  thread: ThreadSummary;
  onOpen: () => void;
}) {
  const { t } = useTranslation("timeline");
  return (
    <button type="button" className={styles.button} onClick={onOpen}>
      <span className={styles.stack} aria-hidden>
        {thread.senders.map((userId) => (
          <PersonAvatar key={userId} roomId={roomId} userId={userId} size={21} />
        ))}
      </span>
      <b>{t("replies", { count: thread.count })}</b>
      {thread.lastSender && <LastReply roomId={roomId} userId={thread.lastSender} ts={thread.lastTs} />}
      <Badge count={thread.unread} label={t("unreadReplies", { count: thread.unread })} />
    </button>
  );
}

function LastReply({ roomId, userId, ts }: { roomId: RoomId; userId: UserId; ts: number }) {
  const { t } = useTranslation("timeline");
  const times = useMessageTimes();
  const { name } = useMember(roomId, userId);
  return <span className={styles.last}>{t("lastReply", { name: shortName(name), ago: times.ago(ts) })}</span>;
}
