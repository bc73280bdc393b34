import { KeyRound, Lock, MapPin, Trash2 } from "lucide-react";
import { ConfirmDevice } from "~/features/encryption";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Attachment, Message } from "~/matrix/timeline";
import { AudioBody, FileBody, ImageBody, VideoBody } from "./attachments";
import { Name } from "./author";
import styles from "./message-body.module.css";
import { PollBody } from "./poll-body";
import { RichText } from "./rich-text";

/** What a message says, each kind in its way. */
export function MessageContent({ roomId, message }: { roomId: RoomId; message: Message }) {
  const { t } = useTranslation("timeline");
  const { body } = message;
  switch (body.kind) {
    case "text":
      return <Words roomId={roomId} message={message} body={body} />;
    case "image":
    case "sticker":
      return (
        <>
          <ImageBody roomId={roomId} message={message} body={body} />
          <Caption roomId={roomId} body={body} />
        </>
      );
    case "video":
      return (
        <>
          <VideoBody body={body} />
          <Caption roomId={roomId} body={body} />
        </>
      );
    case "audio":
      return (
        <>
          <AudioBody body={body} />
          <Caption roomId={roomId} body={body} />
        </>
      );
    case "file":
      return (
        <>
          <FileBody body={body} />
          <Caption roomId={roomId} body={body} />
        </>
      );
    case "poll":
      return <PollBody roomId={roomId} message={message} body={body} />;
    case "location":
      return (
        <p className={styles.quiet}>
          <MapPin size={15} aria-hidden /> <bdi>{body.body || body.geoUri}</bdi>
        </p>
      );
    case "redacted":
      return (
        <p className={styles.quiet}>
          <Trash2 size={15} aria-hidden />
          <bdi>{body.reason ? t("deletedFor", { reason: body.reason }) : t("deleted")}</bdi>
        </p>
      );
    case "decrypting":
      return (
        <p className={styles.quiet}>
          <Lock size={15} aria-hidden /> {t("decrypting")}
        </p>
      );
    case "undecryptable":
      return (
        <p className={styles.quiet}>
          <KeyRound size={15} aria-hidden />
          <span>
            {t(`undecryptable.${body.reason}`)}{" "}
            {body.reason === "noKeyYet" && <Name roomId={roomId} userId={message.sender} />}
          </span>
          {(body.reason === "noBackup" || body.reason === "withheld") && <ConfirmDevice />}
        </p>
      );
    case "unknown":
      return body.body ? (
        <RichText roomId={roomId} body={body.body} html={undefined} />
      ) : (
        <p className={styles.quiet}>{t("unknown", { type: body.type })}</p>
      );
  }
}

const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D|\p{Emoji_Modifier}|\p{Extended_Pictographic})*\s?){1,5}$/u;

function Words({
  roomId,
  message,
  body,
}: {
  roomId: RoomId;
  message: Message;
  body: Extract<Message["body"], { kind: "text" }>;
}) {
  const isEmojiOnly = body.html === undefined && body.body.length < 40 && ONLY_EMOJI.test(body.body);
  const words = <RichText roomId={roomId} body={body.body} html={body.html} />;
  if (isEmojiOnly) return <div className={styles.emoji}>{words}</div>;
  if (body.tone === "notice") return <div className={styles.notice}>{words}</div>;
  if (body.tone === "emote") {
    return (
      <div className={styles.emote}>
        <span aria-hidden>* </span>
        <Name roomId={roomId} userId={message.sender} /> {words}
      </div>
    );
  }
  return words;
}

function Caption({ roomId, body }: { roomId: RoomId; body: Attachment }) {
  return body.caption ? <RichText roomId={roomId} body={body.caption} html={body.captionHtml} /> : null;
}
