import { useEffect } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, RoomId } from "~/matrix/ids";
import { eventKey, type Message } from "~/matrix/timeline";
import { Name } from "./author";
import styles from "./reply-line.module.css";
import { useSummary } from "./summary";

/** The line above an answer: who said what. A click goes there. */
export function ReplyLine({
  roomId,
  eventId,
  onJump,
}: {
  roomId: RoomId;
  eventId: EventId;
  onJump: (eventId: EventId) => void;
}) {
  const { t } = useTranslation("timeline");
  const { messages } = useSession();
  const key = eventKey(roomId, eventId);
  const { status, message } = useSlice(messages.messages, key);
  useEffect(() => void messages.load(key), [messages, key]);
  return (
    <button type="button" className={styles.line} onClick={() => onJump(eventId)}>
      <span className="sr-only">{t("inReplyTo")}</span>
      {message ? (
        <Quoted roomId={roomId} message={message} />
      ) : (
        <span className={styles.words}>{t(status === "loading" ? "loading" : "replyMissing")}</span>
      )}
    </button>
  );
}

function Quoted({ roomId, message }: { roomId: RoomId; message: Message }) {
  const summary = useSummary(message);
  return (
    <>
      <b>
        <Name roomId={roomId} userId={message.sender} />
      </b>
      <bdi className={styles.words}>{summary}</bdi>
    </>
  );
}
