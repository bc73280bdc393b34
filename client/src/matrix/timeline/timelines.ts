import type { CryptoBackend } from "matrix-js-sdk/lib/common-crypto/CryptoBackend";
import {
  Direction,
  type EventTimelineSet,
  type IRoomTimelineData,
  type MatrixEvent,
  MatrixEventEvent,
  type Room,
  RoomEvent,
  ThreadEvent,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { LateKeys } from "../encryption/late-keys";
import { asEventId, asRoomId, type EventId, type RoomId } from "../ids";
import { DerivedSlice } from "../slice";
import { EventReader } from "./reader";
import { Retention } from "./retention";
import { EMPTY_TIMELINE, splitTimelineKey, type TimelineKey, type TimelineSnapshot } from "./types";
import { OpenWindow, type Readers } from "./window";

const NO_READERS: Readers = new Map();

/** The timelines that are open on the screen, each a window of bounded size into a room or a thread. */
export class Timelines {
  readonly snapshots: DerivedSlice<TimelineSnapshot, TimelineKey>;
  readonly readers: DerivedSlice<Readers, TimelineKey>;
  private readonly rooms = new Map<RoomId, OpenRoom>();
  private readonly retention: Retention;
  private readonly lateKeys: LateKeys;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.retention = new Retention(context, (roomId) => this.rooms.has(roomId));
    this.lateKeys = new LateKeys({
      isOpen: (event) => this.rooms.has(asRoomId(event.getRoomId() ?? "")),
      // The SDK's client itself tries no event a second time. Its crypto API is the backend (`initRustCrypto`).
      decrypt: async (event) =>
        event.attemptDecryption(client.getCrypto() as CryptoBackend, { isRetry: true }),
      now: () => Date.now(),
    });
    this.lateKeys.listen(context);
    this.snapshots = new DerivedSlice(
      changes,
      (key, before) => this.window(key)?.snapshot(before) ?? EMPTY_TIMELINE,
    );
    this.readers = new DerivedSlice(
      changes,
      (key, before) => this.window(key)?.readers(before) ?? NO_READERS,
      isSameReaders,
    );
    const onEvent = (event: MatrixEvent) => this.rooms.get(asRoomId(event.getRoomId() ?? ""))?.renew(event);
    client.on(MatrixEventEvent.Decrypted, onEvent);
    client.on(MatrixEventEvent.Replaced, onEvent);
    onClose(() => {
      client.off(MatrixEventEvent.Decrypted, onEvent);
      client.off(MatrixEventEvent.Replaced, onEvent);
      for (const room of this.rooms.values()) room.close();
    });
  }

  /** Opens a timeline at its end, or at an event. What it returns closes it again. */
  open(key: TimelineKey, at?: EventId): () => void {
    const { roomId, threadId } = splitTimelineKey(key);
    const room = this.context.client.getRoom(roomId);
    if (!room) return () => {};
    const opened = this.rooms.get(roomId) ?? this.openRoom(roomId, room);
    const window = opened.openWindow(key, threadId);
    window.markReadUpTo(readUpToOf(room, threadId, this.context.client.getSafeUserId()));
    const isShown = window.load(at);
    // An event that cannot be found is no reason to show nothing.
    if (at) isShown.catch(() => window.load());
    return () => {
      opened.closeWindow(key, window);
      if (opened.windows.size === 0) {
        opened.close();
        this.rooms.delete(roomId);
        this.retention.closed(roomId);
      }
    };
  }

  loadMore(key: TimelineKey, direction: "back" | "forward"): void {
    void this.window(key)?.loadMore(direction);
  }

  /** Told by the view, which alone knows where its reader looks. */
  setAtEnd(key: TimelineKey, isAtEnd: boolean): void {
    this.window(key)?.setAtEnd(isAtEnd);
  }

  /** Goes to an event; rejects if it cannot be found or seen. */
  async jumpTo(key: TimelineKey, eventId: EventId): Promise<void> {
    await this.window(key)?.load(eventId);
  }

  /** Goes to the first event of this time or after it (CS API § timestamp_to_event). */
  async jumpToTime(key: TimelineKey, ts: number): Promise<void> {
    const { roomId } = splitTimelineKey(key);
    const { event_id: eventId } = await this.context.client.timestampToEvent(roomId, ts, Direction.Forward);
    await this.jumpTo(key, asEventId(eventId));
  }

  async jumpToEnd(key: TimelineKey): Promise<void> {
    await this.window(key)?.load();
  }

  /** Goes to where reading was left. */
  async jumpToFirstUnread(key: TimelineKey): Promise<void> {
    const window = this.window(key);
    if (window?.firstUnreadAfter) await window.load(window.firstUnreadAfter);
  }

  private window(key: TimelineKey): OpenWindow | undefined {
    return this.rooms.get(splitTimelineKey(key).roomId)?.windows.get(key)?.window;
  }

  private openRoom(roomId: RoomId, room: Room): OpenRoom {
    const onChange = (key: TimelineKey) => {
      this.snapshots.invalidate(key);
      this.readers.invalidate(key);
    };
    const reader = new EventReader(this.context.client, room, (event) => this.lateKeys.want(event));
    const opened = new OpenRoom(this.context, room, reader, onChange);
    this.rooms.set(roomId, opened);
    this.retention.opened(room);
    return opened;
  }
}

/** A room with at least one timeline open: listens to it, and renews what its events change. */
class OpenRoom {
  readonly windows = new Map<TimelineKey, { window: OpenWindow; users: number }>();
  private readonly stopListening: () => void;

  constructor(
    private readonly context: SessionContext,
    private readonly room: Room,
    private readonly reader: EventReader,
    private readonly onChange: (key: TimelineKey) => void,
  ) {
    this.stopListening = this.listen();
  }

  openWindow(key: TimelineKey, threadId: EventId | undefined): OpenWindow {
    const known = this.windows.get(key);
    if (known) {
      known.users++;
      return known.window;
    }
    const { client } = this.context;
    const set = threadId ? this.threadSet(threadId) : this.room.getUnfilteredTimelineSet();
    const window = new OpenWindow(client, this.room, set, this.reader, () => this.onChange(key));
    this.windows.set(key, { window, users: 1 });
    return window;
  }

  closeWindow(key: TimelineKey, window: OpenWindow): void {
    const known = this.windows.get(key);
    if (known?.window !== window) return;
    known.users--;
    if (known.users > 0) return;
    this.windows.delete(key);
    window.close();
    this.onChange(key);
  }

  /** Something about the event, and so about what it relates to, is different. */
  renew(event: MatrixEvent | undefined): void {
    if (event) {
      this.reader.forget(event);
      for (const id of [event.relationEventId, event.threadRootId, event.event.redacts]) this.renewById(id);
    }
    for (const key of this.windows.keys()) this.onChange(key);
  }

  close(): void {
    this.stopListening();
  }

  private renewById(eventId: string | undefined): void {
    const event = eventId ? this.room.findEventById(eventId) : undefined;
    if (event) this.reader.forget(event);
  }

  private threadSet(threadId: EventId): EventTimelineSet {
    const root = this.room.findEventById(threadId);
    const thread = this.room.getThread(threadId) ?? this.room.createThread(threadId, root, [], true);
    return thread.timelineSet;
  }

  private listen(): () => void {
    const { room } = this;
    const onTimeline = (
      event: MatrixEvent,
      _room: Room | undefined,
      _isStart: boolean | undefined,
      _isRemoved: boolean,
      data: IRoomTimelineData,
    ) => {
      this.renew(event);
      for (const { window } of this.windows.values()) window.takeIn(event, data);
    };
    const onReset = (_room: Room | undefined, set: EventTimelineSet) => {
      for (const { window } of this.windows.values()) if (window.timelineSet === set) window.startAnew();
    };
    const onEvent = (event: MatrixEvent) => this.renew(event);
    const onThread = (thread: { rootEvent: MatrixEvent | undefined; id: string }) => {
      this.renewById(thread.id);
      this.renew(thread.rootEvent);
    };
    const onUnread = (_counts: unknown, threadId: string | undefined) => {
      this.renewById(threadId);
      this.renew(undefined);
    };
    const onReceipt = () => this.renew(undefined);
    room.on(RoomEvent.Timeline, onTimeline);
    room.on(RoomEvent.TimelineReset, onReset);
    room.on(RoomEvent.LocalEchoUpdated, onEvent);
    room.on(RoomEvent.Redaction, onEvent);
    room.on(RoomEvent.RedactionCancelled, onEvent);
    room.on(MatrixEventEvent.BeforeRedaction, onEvent);
    room.on(RoomEvent.Receipt, onReceipt);
    room.on(RoomEvent.UnreadNotifications, onUnread);
    room.on(ThreadEvent.New, onThread);
    room.on(ThreadEvent.Update, onThread);
    return () => {
      room.off(RoomEvent.Timeline, onTimeline);
      room.off(RoomEvent.TimelineReset, onReset);
      room.off(RoomEvent.LocalEchoUpdated, onEvent);
      room.off(RoomEvent.Redaction, onEvent);
      room.off(RoomEvent.RedactionCancelled, onEvent);
      room.off(MatrixEventEvent.BeforeRedaction, onEvent);
      room.off(RoomEvent.Receipt, onReceipt);
      room.off(RoomEvent.UnreadNotifications, onUnread);
      room.off(ThreadEvent.New, onThread);
      room.off(ThreadEvent.Update, onThread);
    };
  }
}

function readUpToOf(room: Room, threadId: EventId | undefined, own: string): EventId | undefined {
  const source = threadId ? room.getThread(threadId) : room;
  const id = source?.getEventReadUpTo(own) ?? (threadId ? undefined : fullyReadOf(room));
  return id ? asEventId(id) : undefined;
}

function fullyReadOf(room: Room): string | undefined {
  const id: unknown = room.getAccountData("m.fully_read")?.getContent().event_id;
  return typeof id === "string" ? id : undefined;
}

function isSameReaders(a: Readers, b: Readers): boolean {
  return a.size === b.size && [...a].every(([key, users]) => b.get(key) === users);
}
