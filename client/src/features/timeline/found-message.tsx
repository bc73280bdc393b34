import { type ReactNode, useEffect } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, RoomId } from "~/matrix/ids";
import { eventKey, type FoundMessage, type Message } from "~/matrix/timeline";
import { AuthorMarks, Name } from "./author";
import styles from "./found-message.module.css";
import { MessageContent } from "./message-body";
import { PersonAvatar } from "./person-avatar";
import { useMessageTimes } from "./times";

/** A message by its ID, fetched if this device does not hold it. */
export function useMessage(roomId: RoomId, eventId: EventId): FoundMessage {
  const { messages } = useSession();
  const key = eventKey(roomId, eventId);
  useEffect(() => void messages.load(key), [messages, key]);
  return useSlice(messages.messages, key);
}

/** A message outside of its timeline: in a list of pins, of threads, of what was found. */
export function MessageCard({
  roomId,
  message,
  children,
}: {
  roomId: RoomId;
  message: Message;
  children?: ReactNode;
}) {
  const times = useMessageTimes();
  return (
    <div className={styles.card}>
      <PersonAvatar roomId={roomId} userId={message.sender} size={30} />
      <div className={styles.words}>
        <p className={styles.head}>
          <b className={styles.name}>
            <Name roomId={roomId} userId={message.sender} />
          </b>
          <AuthorMarks roomId={roomId} userId={message.sender} />
          <time className="num" dateTime={new Date(message.ts).toISOString()} title={times.full(message.ts)}>
            {times.ago(message.ts)}
          </time>
        </p>
        <div className={styles.body}>
          <MessageContent roomId={roomId} message={message} />
        </div>
        {children}
      </div>
    </div>
  );
}

/** Where a message is not there yet, or not to be had. */
export function MissingMessage({ status }: { status: "loading" | "missing" }) {
  const { t } = useTranslation("timeline");
  return <p className={styles.missing}>{t(status === "loading" ? "loading" : "replyMissing")}</p>;
}
