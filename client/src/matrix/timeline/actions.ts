import { EventStatus, type MatrixEvent, RelationType, type Room } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "../context";
import { asUserId, type EventId, type RoomId, type UserId } from "../ids";
import type { Sender } from "../send";
import { readBody, record } from "./content";
import type { MessageBody } from "./types";

interface Edit {
  readonly ts: number;
  readonly body: MessageBody;
}

export interface LinkPreview {
  readonly url: string;
  readonly siteName: string;
  readonly title: string;
  readonly description: string;
  readonly imageMxc: string | undefined;
  readonly imageWidth: number | undefined;
  readonly imageHeight: number | undefined;
}

/** OpenGraph's words as the server found them (CS API § preview_url). */
const Preview = v.object({
  "og:title": v.optional(v.string(), ""),
  "og:description": v.optional(v.string(), ""),
  "og:site_name": v.optional(v.string(), ""),
  "og:image": v.optional(v.string()),
  "og:image:width": v.optional(v.number()),
  "og:image:height": v.optional(v.number()),
});

/** What may be done to messages that are there already. */
export class MessageActions {
  constructor(
    private readonly context: SessionContext,
    private readonly sender: Sender,
  ) {}

  react(roomId: RoomId, eventId: EventId, name: string): void {
    const relation = { rel_type: RelationType.Annotation, event_id: eventId, key: name };
    this.sender.event({ roomId }, "m.reaction", { "m.relates_to": relation });
  }

  /** Deletes an event for everybody. */
  async redact(roomId: RoomId, eventId: EventId, reason?: string): Promise<void> {
    const { client } = this.context;
    const threadId = this.room(roomId)?.findEventById(eventId)?.threadRootId ?? null;
    const txnId = client.makeTxnId();
    try {
      await client.redactEvent(roomId, threadId, eventId, txnId, reason ? { reason } : {});
    } catch (error) {
      // What the server refuses must not look deleted.
      const waiting = this.room(roomId)
        ?.getPendingEvents()
        .find((event) => event.getTxnId() === txnId);
      if (waiting?.status === EventStatus.NOT_SENT) client.cancelPendingEvent(waiting);
      throw error;
    }
  }

  async report(roomId: RoomId, eventId: EventId, reason: string): Promise<void> {
    await this.context.client.reportEvent(roomId, eventId, -100, reason);
  }

  vote(roomId: RoomId, pollId: EventId, answers: readonly string[]): void {
    this.sender.event({ roomId }, "org.matrix.msc3381.poll.response", {
      "m.relates_to": { rel_type: RelationType.Reference, event_id: pollId },
      "org.matrix.msc3381.poll.response": { answers },
      "m.selections": answers,
    });
  }

  /** `text` is for clients that know no polls. */
  endPoll(roomId: RoomId, pollId: EventId, text: string): void {
    this.sender.event({ roomId }, "org.matrix.msc3381.poll.end", {
      "m.relates_to": { rel_type: RelationType.Reference, event_id: pollId },
      "org.matrix.msc3381.poll.end": {},
      "org.matrix.msc1767.text": text,
    });
  }

  /** What a message said before, the oldest first. */
  async history(roomId: RoomId, eventId: EventId): Promise<readonly Edit[]> {
    const { client } = this.context;
    const { originalEvent, events } = await client.relations(roomId, eventId, RelationType.Replace, null);
    const edits = events.map((event) => ({
      ts: event.getTs(),
      body: readBody(
        originalEvent?.getType() ?? "m.room.message",
        record(event.getContent()["m.new_content"]),
      ),
    }));
    const original = originalEvent && {
      ts: originalEvent.getTs(),
      body: readBody(originalEvent.getType(), originalEvent.getOriginalContent()),
    };
    return [...(original ? [original] : []), ...edits.sort((a, b) => a.ts - b.ts)];
  }

  /** The event as the server keeps it, for those who want to know. */
  source(roomId: RoomId, eventId: EventId): { event: string; decrypted: string | undefined } | undefined {
    const event = this.room(roomId)?.findEventById(eventId);
    if (!event) return undefined;
    const decrypted = event.isEncrypted() ? JSON.stringify(clear(event), null, 2) : undefined;
    return { event: JSON.stringify(event.event, null, 2), decrypted };
  }

  /** An address that leads to the message in any client. */
  link(roomId: RoomId, eventId: EventId): string {
    return `${window.location.origin}/room/${encodeURIComponent(roomId)}?event=${encodeURIComponent(eventId)}`;
  }

  /** What the server knows of a page on the web; `undefined` if that is nothing to show. */
  async preview(url: string, ts: number): Promise<LinkPreview | undefined> {
    const found = v.safeParse(Preview, await this.context.client.getUrlPreview(url, ts));
    if (!found.success) return undefined;
    const page = found.output;
    if (!page["og:title"] && !page["og:description"]) return undefined;
    const image = page["og:image"];
    return {
      url,
      siteName: (page["og:site_name"] || new URL(url).hostname).slice(0, 100),
      title: page["og:title"].slice(0, 200),
      description: page["og:description"].slice(0, 300),
      imageMxc: image?.startsWith("mxc://") ? image : undefined,
      imageWidth: page["og:image:width"],
      imageHeight: page["og:image:height"],
    };
  }

  /** Up to so many others that have read the room, with when they did. */
  readersOf(roomId: RoomId, users: readonly UserId[]): readonly { userId: UserId; ts: number }[] {
    const room = this.room(roomId);
    return users.map((userId) => ({
      userId: asUserId(userId),
      ts: room?.getReadReceiptForUserId(userId)?.data.ts ?? 0,
    }));
  }

  private room(roomId: RoomId): Room | null {
    return this.context.client.getRoom(roomId);
  }
}

function clear(event: MatrixEvent): object {
  return { type: event.getType(), content: event.getClearContent() ?? event.getContent() };
}
