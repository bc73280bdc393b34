import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api";
import {
  type EventTimelineSet,
  type IContent,
  type MatrixClient,
  type MatrixEvent,
  NotificationCountType,
  type Relations,
  RelationType,
  type Room,
} from "matrix-js-sdk/lib/matrix";
import { asEventId, asUserId, type EventId, type UserId } from "../ids";
import { readBody, readMentions, record, textOfBody } from "./content";
import type { Entry } from "./layout";
import { asVoter, countPoll, POLL_ENDS, POLL_RESPONSES, POLL_STARTS } from "./polls";
import { describeState } from "./state";
import type { Message, MessageBody, Reaction, SendState, ThreadSummary, UndecryptableReason } from "./types";

/** Events that belong to others, or to the machine room: they have no row of their own. */
const SILENT_TYPES = new Set([
  "m.reaction",
  "m.room.redaction",
  ...POLL_RESPONSES,
  ...POLL_ENDS,
  "m.key.verification.start",
  "m.key.verification.accept",
  "m.key.verification.cancel",
  "m.key.verification.key",
  "m.key.verification.mac",
  "m.key.verification.ready",
  "m.key.verification.done",
  "m.rtc.notification",
  "org.matrix.msc4075.rtc.notification",
  "org.matrix.msc4075.call.notify",
  "org.matrix.msc4310.rtc.decline",
  "io.element.call.reaction",
]);
const VERIFICATION_REQUEST = "m.key.verification.request";
/** Reactions of a message that are shown; a crowd of different ones says nothing more. */
const REACTIONS_MAX = 40;
const REACTION_LENGTH_MAX = 60;

/** Turns the SDK's events of one room into entries. Remembers them until told that something about an event changed. */
export class EventReader {
  /** By timeline: the root of a thread is summed up in one and plain in the other. */
  private readonly known = new Map<
    EventTimelineSet,
    WeakMap<MatrixEvent, { readonly entry: Entry | undefined }>
  >();

  constructor(
    private readonly client: MatrixClient,
    private readonly room: Room,
    /** Told of events that are shown and cannot be read. */
    private readonly onUnreadable: (event: MatrixEvent) => void = () => {},
  ) {}

  /** The event's entry within this timeline; its thread is summed up unless the timeline is the thread. */
  read(event: MatrixEvent, timelineSet: EventTimelineSet): Entry | undefined {
    const ofSet = this.known.get(timelineSet) ?? new WeakMap();
    this.known.set(timelineSet, ofSet);
    const known = ofSet.get(event);
    if (known) return known.entry;
    const entry = this.derive(event, timelineSet);
    ofSet.set(event, { entry });
    return entry;
  }

  /** Something about the event, or about what relates to it, is different now. */
  forget(event: MatrixEvent): void {
    for (const ofSet of this.known.values()) ofSet.delete(event);
  }

  private derive(event: MatrixEvent, timelineSet: EventTimelineSet): Entry | undefined {
    if (event.isState()) {
      const change = describeState({
        eventId: event.getId() ?? "",
        type: event.getType(),
        stateKey: event.getStateKey() ?? "",
        sender: event.getSender() ?? "",
        senderName: event.sender?.rawDisplayName || event.getSender() || "",
        ts: event.getTs(),
        content: event.getContent(),
        previous: event.getPrevContent(),
      });
      return change && { kind: "state", change };
    }
    const type = event.getType();
    if (SILENT_TYPES.has(type) || (!event.isRedacted() && event.isRelation(RelationType.Replace)))
      return undefined;
    // What was deleted and is no message (a vote, a reaction) leaves nothing behind.
    if (
      event.isRedacted() &&
      type !== "m.room.message" &&
      type !== "m.room.encrypted" &&
      type !== "m.sticker"
    ) {
      return undefined;
    }
    // Asking to compare emoji is a window, not a message; what its text says is for clients that cannot.
    if (type === "m.room.message" && event.getContent().msgtype === VERIFICATION_REQUEST) return undefined;
    return { kind: "message", message: this.message(event, type, timelineSet) };
  }

  private message(event: MatrixEvent, type: string, timelineSet: EventTimelineSet): Message {
    const own = this.client.getSafeUserId();
    const sender = asUserId(event.getSender() ?? "");
    const body = this.body(event, type, timelineSet);
    const mentions = readMentions(event.getContent());
    const isOwn = sender === own;
    return {
      key: event.getTxnId() ?? event.getUnsigned().transaction_id ?? event.getId() ?? "",
      eventId: asEventId(event.getId() ?? ""),
      sender,
      isOwn,
      ts: event.getTs(),
      type,
      body,
      text: textOfBody(body),
      sendState: sendStateOf(event),
      editedTs: event.isRedacted() ? undefined : event.replacingEventDate()?.getTime(),
      isMention: !isOwn && (mentions.users.includes(own) || (mentions.isRoom && this.mayNameRoom(sender))),
      mentions: mentions.users.map(asUserId),
      replyTo: replyOf(event, timelineSet),
      reactions: this.reactions(event, timelineSet),
      thread: timelineSet.thread ? undefined : this.thread(event),
      isEncrypted: event.isEncrypted(),
    };
  }

  private body(event: MatrixEvent, type: string, timelineSet: EventTimelineSet): MessageBody {
    if (event.isRedacted()) {
      const redaction = event.getRedactionEvent();
      const by = redaction && "sender" in redaction ? String(redaction.sender) : undefined;
      const reason = record(redaction && "content" in redaction ? redaction.content : undefined).reason;
      return {
        kind: "redacted",
        reason: typeof reason === "string" ? reason.slice(0, 500) : "",
        by: by === undefined ? undefined : asUserId(by),
      };
    }
    if (event.isDecryptionFailure()) {
      this.onUnreadable(event);
      return { kind: "undecryptable", reason: this.whyUndecryptable(event) };
    }
    if (type === "m.room.encrypted") return { kind: "decrypting" };
    if (POLL_STARTS.includes(type)) {
      return this.poll(event, timelineSet) ?? readBody(type, event.getContent());
    }
    return readBody(type, event.getContent());
  }

  private poll(event: MatrixEvent, timelineSet: EventTimelineSet): MessageBody | undefined {
    const related = (types: readonly string[]) =>
      types.flatMap(
        (type) => this.children(event, timelineSet, RelationType.Reference, type)?.getRelations() ?? [],
      );
    const mayEnd = (sender: string | undefined) =>
      sender === event.getSender() ||
      (sender !== undefined && this.room.currentState.maySendRedactionForEvent(event, sender));
    const ends = related(POLL_ENDS).filter((end) => !end.isRedacted() && mayEnd(end.getSender()));
    const votes = related(POLL_RESPONSES)
      .filter((vote) => !vote.isRedacted())
      .map((vote) => ({ sender: asVoter(vote.getSender()), ts: vote.getTs(), content: vote.getContent() }));
    const endTs = ends.length > 0 ? Math.min(...ends.map((end) => end.getTs())) : undefined;
    const own = asUserId(this.client.getSafeUserId());
    const poll = countPoll(event.getContent(), votes, { endTs, own });
    return poll && { kind: "poll", ...poll };
  }

  private reactions(event: MatrixEvent, timelineSet: EventTimelineSet): readonly Reaction[] {
    const annotations = this.children(event, timelineSet, RelationType.Annotation, "m.reaction");
    const own = this.client.getSafeUserId();
    const found: (Reaction & { readonly firstTs: number })[] = [];
    for (const [name, events] of annotations?.getSortedAnnotationsByKey() ?? []) {
      const valid = [...events].filter((reaction) => !reaction.isRedacted());
      const [first] = valid;
      if (!first || typeof name !== "string") continue;
      const mine = valid.find((reaction) => reaction.getSender() === own);
      found.push({
        name: name.slice(0, REACTION_LENGTH_MAX),
        senders: [...new Set(valid.map((reaction) => asUserId(reaction.getSender() ?? "")))],
        ownEventId: mine && asEventId(mine.getId() ?? ""),
        firstTs: Math.min(...valid.map((reaction) => reaction.getTs())),
      });
    }
    // Of too many, one's own and those of most people.
    const weight = ({ ownEventId, senders }: Reaction) =>
      ownEventId ? Number.POSITIVE_INFINITY : senders.length;
    const kept =
      found.length > REACTIONS_MAX
        ? found
            .sort((a, b) => Math.sign(weight(b) - weight(a)) || a.firstTs - b.firstTs)
            .slice(0, REACTIONS_MAX)
        : found;
    // In the order in which they came, so that none changes its place under the pointer.
    return kept.sort((a, b) => a.firstTs - b.firstTs);
  }

  private children(
    event: MatrixEvent,
    timelineSet: EventTimelineSet,
    relation: RelationType,
    type: string,
  ): Relations | undefined {
    const id = event.getId();
    return id ? timelineSet.relations.getChildEventsForEvent(id, relation, type) : undefined;
  }

  private thread(event: MatrixEvent): ThreadSummary | undefined {
    const id = event.getId();
    const thread = id ? this.room.getThread(id) : null;
    if (!id || !thread || thread.length === 0) return undefined;
    const last = thread.replyToEvent;
    const senders = thread.events.flatMap((reply) =>
      reply.getId() === id || reply.isRelation(RelationType.Annotation)
        ? []
        : [asUserId(reply.getSender() ?? "")],
    );
    const lastSender = last?.getSender();
    return {
      count: thread.length,
      lastSender: lastSender ? asUserId(lastSender) : undefined,
      lastTs: last?.getTs() ?? 0,
      senders: [...new Set([...senders.reverse(), ...(lastSender ? [asUserId(lastSender)] : [])])].slice(
        0,
        3,
      ),
      unread: this.room.getThreadUnreadNotificationCount(id, NotificationCountType.Total),
    };
  }

  private mayNameRoom(sender: UserId): boolean {
    return this.room.currentState.mayTriggerNotifOfType("room", sender);
  }

  private whyUndecryptable(event: MatrixEvent): UndecryptableReason {
    switch (event.decryptionFailureReason) {
      case DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED:
        return "beforeJoin";
      case DecryptionFailureCode.HISTORICAL_MESSAGE_NO_KEY_BACKUP:
      case DecryptionFailureCode.HISTORICAL_MESSAGE_BACKUP_UNCONFIGURED:
      case DecryptionFailureCode.HISTORICAL_MESSAGE_WORKING_BACKUP:
        return "noBackup";
      case DecryptionFailureCode.MEGOLM_KEY_WITHHELD:
      case DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE:
        return "withheld";
      case DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID:
      case DecryptionFailureCode.OLM_UNKNOWN_MESSAGE_INDEX:
        return "noKeyYet";
      default:
        return "other";
    }
  }
}

function sendStateOf(event: MatrixEvent): SendState {
  const status = event.getAssociatedStatus();
  if (status === "not_sent" || status === "cancelled") return "failed";
  return status === null || status === "sent" ? "sent" : "sending";
}

/** What the message answers. In a thread, the fallback for clients without threads is no answer (CS API § Threading). */
function replyOf(event: MatrixEvent, timelineSet: EventTimelineSet): EventId | undefined {
  const relation: IContent = event.getWireContent()["m.relates_to"] ?? {};
  const id = event.replyEventId;
  if (typeof id !== "string" || event.isRedacted()) return undefined;
  const isFallback = relation.rel_type === "m.thread" && relation.is_falling_back !== false;
  return isFallback && timelineSet.thread ? undefined : asEventId(id);
}
