import { type MatrixEvent, MatrixEventEvent, type Room, RoomEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { asRoomId, type EventId, type RoomId } from "../ids";
import { DerivedSlice } from "../slice";
import { EventReader } from "./reader";
import type { Message } from "./types";

type EventKey = `${RoomId}|${EventId}`;
export const eventKey = (roomId: RoomId, eventId: EventId): EventKey => `${roomId}|${eventId}`;

export type FoundMessage =
  | { readonly status: "loading" | "missing"; readonly message?: undefined }
  | { readonly status: "found"; readonly message: Message };

/** Fetched events that are kept; the oldest go first. */
const KEPT_MAX = 300;

/** Single messages wherever they are: what a reply answers, what is pinned, the root of a thread. */
export class MessageLookup {
  readonly messages: DerivedSlice<FoundMessage, EventKey>;
  /** Events outside the SDK's timelines; `undefined` for those that the server does not give. */
  private readonly fetched = new Map<EventKey, MatrixEvent | undefined>();
  private readonly asked = new Set<EventKey>();

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.messages = new DerivedSlice(
      changes,
      (key) => this.find(key),
      (a, b) => a.status === b.status && JSON.stringify(a.message) === JSON.stringify(b.message),
    );
    const onEvent = (event: MatrixEvent) => this.touch(event.getRoomId(), event.getId());
    const onRedaction = (event: MatrixEvent, room: Room) => this.touch(room.roomId, event.event.redacts);
    client.on(MatrixEventEvent.Replaced, onEvent);
    client.on(MatrixEventEvent.Decrypted, onEvent);
    client.on(RoomEvent.Redaction, onRedaction);
    onClose(() => {
      client.off(MatrixEventEvent.Replaced, onEvent);
      client.off(MatrixEventEvent.Decrypted, onEvent);
      client.off(RoomEvent.Redaction, onRedaction);
    });
  }

  /** Fetches the message if this device does not hold it. */
  async load(key: EventKey): Promise<void> {
    const [roomId, eventId] = split(key);
    const { client } = this.context;
    if (this.asked.has(key) || client.getRoom(roomId)?.findEventById(eventId)) return;
    this.asked.add(key);
    try {
      const event = client.getEventMapper()(await client.fetchRoomEvent(roomId, eventId));
      await client.decryptEventIfNeeded(event);
      this.keep(key, event);
    } catch {
      this.keep(key, undefined);
    }
    this.messages.invalidate(key);
  }

  private find(key: EventKey): FoundMessage {
    const [roomId, eventId] = split(key);
    const room = this.context.client.getRoom(roomId);
    const event = room?.findEventById(eventId) ?? this.fetched.get(key);
    if (!room || !event) return { status: this.fetched.has(key) ? "missing" : "loading" };
    const set = event.getThread()?.timelineSet ?? room.getUnfilteredTimelineSet();
    const entry = new EventReader(this.context.client, room).read(event, set);
    return entry?.kind === "message" ? { status: "found", message: entry.message } : { status: "missing" };
  }

  private keep(key: EventKey, event: MatrixEvent | undefined): void {
    this.fetched.set(key, event);
    const [oldest] = this.fetched.keys();
    if (this.fetched.size <= KEPT_MAX || oldest === undefined) return;
    this.fetched.delete(oldest);
    this.asked.delete(oldest);
  }

  private touch(roomId: string | undefined, eventId: string | undefined): void {
    if (roomId && eventId) this.messages.invalidate(eventKey(asRoomId(roomId), eventId as EventId));
  }
}

function split(key: EventKey): [RoomId, EventId] {
  const bar = key.indexOf("|");
  return [asRoomId(key.slice(0, bar)), key.slice(bar + 1) as EventId];
}
