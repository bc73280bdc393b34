import { EventType, type MatrixEvent, MsgType, RelationType } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { forwardedContent } from "./forward";
import { asEventId, asUserId, type EventId, type RoomId, type UserId } from "./ids";
import {
  type Answered,
  editContent,
  type Mentions,
  mediaContent,
  messageContent,
  type Place,
  pollContent,
  type Said,
  type SentFile,
} from "./message-content";
import type { Outbox } from "./outbox";

/** How long the server shows somebody as typing unless told again. */
const TYPING_MS = 20_000;

/** A message of one's own, as it can be changed. */
export interface Editable {
  readonly eventId: EventId;
  readonly body: string;
  readonly html: string | undefined;
  readonly msgtype: string;
  readonly mentions: Mentions;
}

/** What a reply quotes. */
interface Quoted extends Answered {
  readonly body: string;
}

/** Everything that this account says. */
export class Sender {
  constructor(
    private readonly context: SessionContext,
    private readonly outbox: Outbox,
  ) {}

  /** Sends a plain text; it shows at once and settles when the server has it. */
  text(roomId: RoomId, body: string): void {
    this.say({ roomId }, { msgtype: "m.text", body, mentions: { userIds: [], room: false } });
  }

  /** Says something, perhaps in answer to a message. */
  say(place: Place, said: Said, answered?: Answered): void {
    this.event(place, EventType.RoomMessage, messageContent(said, answered, this.ownId));
  }

  /** Tells the channel what was said in a thread of it. Whom it names is told there, not a second time. */
  echo(roomId: RoomId, threadId: EventId, said: Said): void {
    const quiet = { ...said, mentions: { userIds: [], room: false } };
    this.event({ roomId }, EventType.RoomMessage, messageContent(quiet, this.rootOf(threadId), this.ownId));
  }

  /** The same of a file. */
  echoFile(roomId: RoomId, threadId: EventId, file: SentFile, caption?: Said): void {
    const quiet = caption && { ...caption, mentions: { userIds: [], room: false } };
    this.event(
      { roomId },
      EventType.RoomMessage,
      mediaContent(file, quiet, this.rootOf(threadId), this.ownId),
    );
  }

  /** Replaces what a message of one's own says. */
  edit({ roomId }: Place, before: Editable, said: Said): void {
    // Edits belong to no thread of their own: they follow the event they change.
    this.event({ roomId }, EventType.RoomMessage, editContent(said, before.eventId, before.mentions));
  }

  /** Sends a file that is in the media repository. */
  file(place: Place, file: SentFile, caption?: Said, answered?: Answered): void {
    this.event(place, EventType.RoomMessage, mediaContent(file, caption, answered, this.ownId));
  }

  /** Says a message again in other rooms, as it reads now; false if it cannot be read here. */
  forward(from: RoomId, eventId: EventId, to: readonly RoomId[]): boolean {
    const event = this.find(from, eventId);
    if (!event || event.isDecryptionFailure() || event.isRedacted()) return false;
    const type = event.getType() === EventType.Sticker ? EventType.Sticker : EventType.RoomMessage;
    for (const roomId of to) this.event({ roomId }, type, forwardedContent(event.getContent()));
    return true;
  }

  /** Asks the room. */
  poll(place: Place, question: string, answers: readonly string[], selectionsMax: number): void {
    this.event(place, "org.matrix.msc3381.poll.start", pollContent(question, answers, selectionsMax));
  }

  /** Sends any event; in a thread, with the relation that puts it there. */
  event({ roomId, threadId }: Place, type: string, content: Record<string, unknown>): void {
    this.outbox.send({ roomId, threadId, type, content });
  }

  /** Sends again what failed. */
  retry(roomId: RoomId, txnId: string): void {
    this.outbox.retry(roomId, txnId);
  }

  /** Forgets what was not sent. */
  discard(roomId: RoomId, txnId: string): void {
    this.outbox.discard(roomId, txnId);
  }

  /** Tells the room that one is typing, or no more. */
  async typing(roomId: RoomId, isTyping: boolean): Promise<void> {
    await this.context.client.sendTyping(roomId, isTyping, TYPING_MS).catch(() => {});
  }

  /** A message of one's own that can be edited; `undefined` if it cannot. */
  editable(roomId: RoomId, eventId: EventId): Editable | undefined {
    const event = this.find(roomId, eventId);
    return event && this.isEditable(event) ? describe(event) : undefined;
  }

  /** The newest message of one's own, in a thread or outside of all. */
  lastEditable({ roomId, threadId }: Place): Editable | undefined {
    const room = this.context.client.getRoom(roomId);
    const events = threadId ? room?.getThread(threadId)?.events : room?.getLiveTimeline().getEvents();
    const event = [...(events ?? [])].reverse().find((candidate) => {
      const isHere = threadId !== undefined || !candidate.isRelation(RelationType.Thread);
      return isHere && this.isEditable(candidate);
    });
    return event && describe(event);
  }

  /** Who said what, for the line above an answer. */
  quoted(roomId: RoomId, eventId: EventId): Quoted | undefined {
    const event = this.find(roomId, eventId);
    if (!event) return undefined;
    return {
      eventId,
      sender: asUserId(event.getSender() ?? ""),
      body: String(event.getContent().body ?? ""),
    };
  }

  /** An answer to the thread's first message that calls nobody: only others are called by being answered. */
  private rootOf(threadId: EventId): Answered {
    return { eventId: threadId, sender: this.ownId };
  }

  private get ownId(): UserId {
    return asUserId(this.context.client.getSafeUserId());
  }

  private find(roomId: RoomId, eventId: EventId): MatrixEvent | undefined {
    return this.context.client.getRoom(roomId)?.findEventById(eventId);
  }

  private isEditable(event: MatrixEvent): boolean {
    const { msgtype } = event.getContent();
    return (
      event.getType() === EventType.RoomMessage &&
      event.getSender() === this.ownId &&
      event.status === null &&
      !event.isRedacted() &&
      !event.isRelation(RelationType.Replace) &&
      (msgtype === MsgType.Text || msgtype === MsgType.Emote)
    );
  }
}

function describe(event: MatrixEvent): Editable {
  const content = event.getContent();
  const mentions: unknown = content["m.mentions"];
  const { user_ids: userIds, room } = (mentions ?? {}) as { user_ids?: unknown; room?: unknown };
  return {
    eventId: asEventId(event.getId() ?? ""),
    body: String(content.body ?? ""),
    html: typeof content.formatted_body === "string" ? content.formatted_body : undefined,
    msgtype: String(content.msgtype),
    mentions: {
      userIds: Array.isArray(userIds) ? userIds.filter((id): id is UserId => typeof id === "string") : [],
      room: room === true,
    },
  };
}
