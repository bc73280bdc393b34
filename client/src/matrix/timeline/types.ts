import type { EventId, RoomId, UserId } from "../ids";

/** A room's main timeline, or one thread of it: `!room` or `!room|$root`. */
export type TimelineKey = RoomId | `${RoomId}|${EventId}`;

export const timelineKey = (roomId: RoomId, threadId?: EventId): TimelineKey =>
  threadId ? `${roomId}|${threadId}` : roomId;

export function splitTimelineKey(key: TimelineKey): { roomId: RoomId; threadId: EventId | undefined } {
  const bar = key.indexOf("|");
  if (bar < 0) return { roomId: key as RoomId, threadId: undefined };
  return { roomId: key.slice(0, bar) as RoomId, threadId: key.slice(bar + 1) as EventId };
}

/** What a timeline shows, one row each. */
export type TimelineItem = MessageItem | StateItem | DayItem | NewItem;

interface Row {
  /** Stable: a local echo keeps its transaction ID as key after the event's ID arrives. */
  readonly key: string;
}

export interface MessageItem extends Row {
  readonly kind: "message";
  readonly message: Message;
  /** The row before is by the same person and at most 5 minutes older: no name, no picture. */
  readonly isContinued: boolean;
}

/** Changes of the room next to each other, as one line. */
export interface StateItem extends Row {
  readonly kind: "state";
  readonly changes: readonly StateChange[];
}

export interface DayItem extends Row {
  readonly kind: "day";
  readonly ts: number;
}

export interface NewItem extends Row {
  readonly kind: "new";
  readonly count: number;
  /** When the last message before them was sent. */
  readonly sinceTs: number;
}

export type SendState = "sent" | "sending" | "failed";

export interface Message extends Row {
  /** The event's ID; `~…` while the server does not have it. */
  readonly eventId: EventId;
  readonly sender: UserId;
  readonly isOwn: boolean;
  readonly ts: number;
  readonly type: string;
  readonly body: MessageBody;
  /** Plain text of it, for names, copies and quotes. */
  readonly text: string;
  readonly sendState: SendState;
  readonly editedTs: number | undefined;
  readonly isMention: boolean;
  readonly mentions: readonly UserId[];
  readonly replyTo: EventId | undefined;
  readonly reactions: readonly Reaction[];
  readonly thread: ThreadSummary | undefined;
  readonly isEncrypted: boolean;
}

export interface Reaction {
  /** An emoji, or any text that somebody sent. */
  readonly name: string;
  readonly senders: readonly UserId[];
  /** This account's reaction event; `undefined` if it did not react so. */
  readonly ownEventId: EventId | undefined;
}

export interface ThreadSummary {
  readonly count: number;
  readonly lastSender: UserId | undefined;
  readonly lastTs: number;
  readonly senders: readonly UserId[];
  readonly unread: number;
}

/** An encrypted attachment's key and address (CS API § Sending encrypted attachments). */
export interface EncryptedFile {
  readonly url: string;
  readonly key: { readonly k: string };
  readonly iv: string;
  readonly hashes: { readonly sha256: string };
}

export interface MediaSource {
  readonly mxc: string;
  readonly file: EncryptedFile | undefined;
  readonly mimetype: string;
}

export interface Attachment {
  readonly name: string;
  /** What its sender says of it, if that is more than its name. */
  readonly caption: string;
  readonly captionHtml: string | undefined;
  readonly bytes: number | undefined;
  readonly source: MediaSource;
}

export interface VisualAttachment extends Attachment {
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly thumbnail: MediaSource | undefined;
  /** The picture's colours in some thirty letters (MSC2448); not looked at yet. */
  readonly blurhash: string | undefined;
  readonly isSpoiler: boolean;
}

export type MessageBody =
  | {
      readonly kind: "text";
      readonly tone: "text" | "notice" | "emote";
      readonly body: string;
      readonly html: string | undefined;
    }
  | ({ readonly kind: "image" | "sticker" } & VisualAttachment)
  | ({ readonly kind: "video"; readonly durationMs: number | undefined } & VisualAttachment)
  | ({
      readonly kind: "audio";
      readonly durationMs: number | undefined;
      readonly isVoice: boolean;
      /** Loudness over time, 0 to 1. */
      readonly waveform: readonly number[];
    } & Attachment)
  | ({ readonly kind: "file" } & Attachment)
  | { readonly kind: "location"; readonly body: string; readonly geoUri: string }
  | ({ readonly kind: "poll" } & Poll)
  | { readonly kind: "redacted"; readonly reason: string; readonly by: UserId | undefined }
  | { readonly kind: "decrypting" }
  | { readonly kind: "undecryptable"; readonly reason: UndecryptableReason }
  | { readonly kind: "unknown"; readonly type: string; readonly body: string };

export type UndecryptableReason = "beforeJoin" | "noKeyYet" | "noBackup" | "withheld" | "other";

export interface Poll {
  readonly question: string;
  readonly answers: readonly {
    readonly id: string;
    readonly text: string;
    readonly voters: readonly UserId[];
  }[];
  readonly isSecret: boolean;
  readonly selectionsMax: number;
  readonly ownAnswers: readonly string[];
  readonly voterCount: number;
  readonly isEnded: boolean;
}

/** What changed, in words of the protocol; views say it in the user's language. */
export type StateChange = {
  readonly eventId: EventId;
  readonly ts: number;
  readonly by: UserId;
  readonly byName: string;
} & (
  | {
      readonly what:
        | "joined"
        | "left"
        | "invited"
        | "uninvited"
        | "rejected"
        | "kicked"
        | "banned"
        | "unbanned"
        | "knocked";
      readonly who: UserId;
      readonly whoName: string;
      readonly reason: string;
    }
  | { readonly what: "renamedSelf"; readonly from: string; readonly to: string }
  | {
      readonly what:
        | "newPicture"
        | "created"
        | "encrypted"
        | "power"
        | "avatar"
        | "access"
        | "history"
        | "pinned";
    }
  | { readonly what: "named" | "topic"; readonly to: string }
  | { readonly what: "replaced"; readonly roomId: RoomId }
  | { readonly what: "call" }
);

/**
 * One end of a window: whether there is more, and what is being done about it. `quiet`: there is more, but what came last were many
 * changes of the room and no messages, so that it waits until somebody asks.
 */
export type WindowEnd = "more" | "quiet" | "loading" | "failed" | "end";

export interface TimelineSnapshot {
  readonly status: "loading" | "ready" | "failed";
  readonly items: readonly TimelineItem[];
  readonly start: WindowEnd;
  /** `end`: the newest message is in the window. */
  readonly end: WindowEnd;
  /** The row to show first, asked for by a jump; a new number is a new jump. */
  readonly focus: { readonly eventId: EventId; readonly jump: number } | undefined;
  /** The first unread message lies before the window. */
  readonly hasUnreadBefore: boolean;
}

export const EMPTY_TIMELINE: TimelineSnapshot = {
  status: "loading",
  items: [],
  start: "more",
  end: "more",
  focus: undefined,
  hasUnreadBefore: false,
};
