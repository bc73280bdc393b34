import { RotateCcw, Trash2 } from "lucide-react";
import { type FocusEvent, type KeyboardEvent, type MouseEvent, memo, useRef, useState } from "react";
import { shortName } from "~/hooks/name-list";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, UserId } from "~/matrix/ids";
import type { Message, MessageItem } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import { AuthorMarks, Name } from "./author";
import type { Surroundings } from "./message-actions";
import { MessageContent } from "./message-body";
import styles from "./message-row.module.css";
import type { Opened } from "./message-toolbar";
import { NearMessage } from "./near-message";
import { PersonAvatar } from "./person-avatar";
import { MessagePreview } from "./preview-card";
import { Reactions } from "./reactions";
import { ReadReceipts } from "./read-receipts";
import { ReplyLine } from "./reply-line";
import { ask } from "./store";
import { useSummary } from "./summary";
import { ThreadButton } from "./thread-button";
import { useMessageTimes } from "./times";

interface MessageRowProps extends Surroundings {
  item: MessageItem;
  readers: readonly UserId[] | undefined;
  /** A jump led here. */
  isTarget: boolean;
  onJump: (eventId: EventId) => void;
}

const LABEL_TEXT_MAX = 200;

/** One message with everything that hangs on it. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { item, roomId, threadId, readers, isTarget, onJump, openThread, openProfile } = props;
  const { message, isContinued } = item;
  const times = useMessageTimes();
  const { name } = useMember(roomId, message.sender);
  const isEncryptedRoom = useRoom(roomId)?.isEncrypted ?? true;
  const summary = useSummary(message);
  const keys = useRef<(event: KeyboardEvent<HTMLElement>) => void>(undefined);
  const [isNear, setNear] = useState(false);
  const [opened, setOpened] = useState<Opened>();
  const onBlur = (event: FocusEvent<HTMLElement>) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setNear(false);
  };
  const onContextMenu = (event: MouseEvent<HTMLElement>) => {
    // Links, pictures and selections keep the browser's own menu; so does Shift.
    const isOther =
      event.target instanceof Element && event.target.closest("a, img, video, textarea") !== null;
    if (event.shiftKey || isOther || (window.getSelection()?.toString() ?? "") !== "") return;
    event.preventDefault();
    setNear(true);
    setOpened("menu");
  };
  const clock = times.clock(message.ts);
  return (
    <article
      aria-label={`${shortName(name)}, ${clock}: ${summary.slice(0, LABEL_TEXT_MAX)}`}
      data-key={item.key}
      tabIndex={-1}
      className={cx(
        styles.row,
        isContinued && styles.continued,
        message.isMention && styles.mention,
        isTarget && styles.target,
        (isNear || opened) && styles.near,
        message.sendState === "sending" && styles.sending,
      )}
      onPointerEnter={(event) => event.pointerType === "mouse" && setNear(true)}
      onPointerLeave={() => setNear(false)}
      onFocus={() => setNear(true)}
      onBlur={onBlur}
      onContextMenu={onContextMenu}
      onKeyDown={(event) => keys.current?.(event)}
    >
      {message.replyTo && <ReplyLine roomId={roomId} eventId={message.replyTo} onJump={onJump} />}
      {isContinued ? (
        <time className={cx(styles.margin, "num")} dateTime={new Date(message.ts).toISOString()}>
          {clock}
        </time>
      ) : (
        <PersonAvatar roomId={roomId} userId={message.sender} size={40} />
      )}
      <div className={styles.content}>
        {!isContinued && (
          <div className={styles.head}>
            <button type="button" className={styles.name} onClick={() => openProfile(message.sender)}>
              <Name roomId={roomId} userId={message.sender} />
            </button>
            <AuthorMarks roomId={roomId} userId={message.sender} />
            <time
              className={cx(styles.time, "num")}
              dateTime={new Date(message.ts).toISOString()}
              title={times.full(message.ts)}
            >
              {clock}
            </time>
            {message.editedTs !== undefined && <Edited roomId={roomId} message={message} />}
          </div>
        )}
        <MessageContent roomId={roomId} message={message} />
        {isContinued && message.editedTs !== undefined && <Edited roomId={roomId} message={message} />}
        <MessagePreview message={message} isEncryptedRoom={isEncryptedRoom} />
        {message.reactions.length > 0 && <Reactions roomId={roomId} message={message} />}
        {message.thread && (
          <ThreadButton roomId={roomId} thread={message.thread} onOpen={() => openThread(message.eventId)} />
        )}
        {message.sendState === "failed" && <Failed roomId={roomId} message={message} />}
      </div>
      {readers && <ReadReceipts roomId={roomId} readers={readers} />}
      {(isNear || opened) && (
        <NearMessage
          message={message}
          roomId={roomId}
          threadId={threadId}
          openThread={openThread}
          openProfile={openProfile}
          opened={opened}
          onOpen={setOpened}
          keys={keys}
        />
      )}
    </article>
  );
});

function Edited({ roomId, message }: { roomId: Surroundings["roomId"]; message: Message }) {
  const { t } = useTranslation("timeline");
  const times = useMessageTimes();
  if (message.editedTs === undefined) return null;
  return (
    <button
      type="button"
      className={styles.edited}
      title={t("editedAt", { time: times.full(message.editedTs) })}
      onClick={() => ask("history", roomId, message)}
    >
      {t("edited")}
    </button>
  );
}

/** What was not sent says so, and what one can do about it. */
function Failed({ roomId, message }: { roomId: Surroundings["roomId"]; message: Message }) {
  const { t } = useTranslation("timeline");
  const { sender } = useSession();
  return (
    <div role="alert" className={styles.failed}>
      <span>{t("notSent")}</span>
      <Button kind="quiet" icon={RotateCcw} onPress={() => sender.retry(roomId, message.key)}>
        {t("retry")}
      </Button>
      <Button kind="quiet" icon={Trash2} onPress={() => sender.discard(roomId, message.key)}>
        {t("discard")}
      </Button>
    </div>
  );
}
