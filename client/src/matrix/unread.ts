import {
  ClientEvent,
  type MatrixEvent,
  NotificationCountType,
  ReceiptType,
  type Room,
  RoomEvent,
} from "matrix-js-sdk/lib/matrix";
import { eachOf } from "./at-once";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId } from "./ids";
import type { Rooms } from "./rooms";
import { DerivedSlice } from "./slice";
import type { Spaces } from "./spaces";
import { deriveUnread, NOTHING_UNREAD, type RoomUnread, sumUnread } from "./unread-rules";

export type { RoomUnread } from "./unread-rules";

/** A server's ID, or a sum over rooms of another kind. */
type UnreadSum = RoomId | "direct" | "everything";

const MARKED_UNREAD = "m.marked_unread";
/** Rooms whose end is told to the server at the same time. */
const MARKED_AT_ONCE = 6;
/** How far back a message of another is looked for. */
const LOOKED_AT_MAX = 50;
const SPOKEN = new Set(["m.room.message", "m.room.encrypted", "m.sticker", "m.poll.start"]);

/** The one author of all unread marks. */
export class Unread {
  readonly rooms: DerivedSlice<RoomUnread, RoomId>;
  readonly sums: DerivedSlice<RoomUnread, UnreadSum>;
  /** Whether receipts are for this account alone (a setting of privacy). */
  isPrivate = false;
  private readonly sent = new Map<RoomId, string>();

  constructor(
    private readonly context: SessionContext,
    private readonly lists: Rooms,
    private readonly spaces: Spaces,
  ) {
    const { client, changes, onClose } = context;
    this.rooms = new DerivedSlice(changes, (id) => this.count(client.getRoom(id)));
    this.sums = new DerivedSlice(changes, (of) => this.sum(of));
    const touch = (room: Room | undefined) => {
      if (!room) return;
      this.rooms.invalidate(asRoomId(room.roomId));
      this.sums.invalidateAll();
    };
    const onReceipt = (_event: MatrixEvent, room: Room) => touch(room);
    const onTimeline = (_event: MatrixEvent, room: Room | undefined) => touch(room);
    const onAccountData = (event: MatrixEvent) => {
      if (event.getType() !== "m.push_rules") return;
      this.rooms.invalidateAll();
      this.sums.invalidateAll();
    };
    // The client does not pass this event of its rooms on.
    const onRoom = (room: Room) => {
      room.on(RoomEvent.UnreadNotifications, () => touch(room));
      touch(room);
    };
    client.getRooms().forEach(onRoom);
    client.on(ClientEvent.Room, onRoom);
    client.on(ClientEvent.AccountData, onAccountData);
    client.on(RoomEvent.AccountData, onReceipt);
    client.on(RoomEvent.Receipt, onReceipt);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.LocalEchoUpdated, onReceipt);
    client.on(RoomEvent.MyMembership, touch);
    onClose(() => {
      client.off(ClientEvent.Room, onRoom);
      client.off(ClientEvent.AccountData, onAccountData);
      client.off(RoomEvent.AccountData, onReceipt);
      client.off(RoomEvent.Receipt, onReceipt);
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.LocalEchoUpdated, onReceipt);
      client.off(RoomEvent.MyMembership, touch);
    });
  }

  /** The end of the main timeline was seen while the window had focus: says so to the server, once for each event. */
  async sawEnd(roomId: RoomId): Promise<void> {
    const room = this.context.client.getRoom(roomId);
    const newest = room && newestOf(room.getLiveTimeline().getEvents());
    const eventId = newest?.getId();
    if (!room || !newest || !eventId || this.sent.get(roomId) === eventId) return;
    this.sent.set(roomId, eventId);
    try {
      await this.unmark(room);
      // Synthesized receipts, of one's own messages, are not known to the server.
      if (room.getEventReadUpTo(this.context.client.getSafeUserId(), true) !== eventId)
        await this.context.client.sendReadReceipt(newest, this.receiptType());
      await this.context.client.setRoomReadMarkers(roomId, eventId);
    } catch {
      // Not told: the next look at the end tries again.
      this.sent.delete(roomId);
    }
  }

  /** The end of a thread was seen while the window had focus. */
  async sawThreadEnd(roomId: RoomId, threadId: string): Promise<void> {
    const thread = this.context.client.getRoom(roomId)?.getThread(threadId);
    const newest = thread && newestOf(thread.events);
    const me = this.context.client.getSafeUserId();
    if (!newest || thread.hasUserReadEvent(me, newest.getId() ?? "")) return;
    await this.context.client.sendReadReceipt(newest, this.receiptType()).catch(() => {});
  }

  /** Marks everything in the room as read, threads included. */
  async markRead(roomId: RoomId): Promise<void> {
    const room = this.context.client.getRoom(roomId);
    const newest = room?.getLastLiveEvent();
    const eventId = newest?.getId();
    if (!room || !newest || !eventId) return;
    await this.unmark(room);
    await this.context.client.sendReadReceipt(newest, this.receiptType(), true);
    await this.context.client.setRoomReadMarkers(roomId, eventId);
  }

  /** Marks every room of a server as read. */
  async markServerRead(serverId: RoomId): Promise<void> {
    const rooms = this.spaces.roomsBelow(serverId).filter((id) => this.rooms.peek(id).isUnread);
    await eachOf(rooms, MARKED_AT_ONCE, (id) => this.markRead(id));
  }

  /** Makes the room stand out until it is opened again. */
  async markUnread(roomId: RoomId): Promise<void> {
    this.sent.delete(roomId);
    await this.setMarked(roomId, true);
  }

  private async unmark(room: Room): Promise<void> {
    if (isMarked(room)) await this.setMarked(room.roomId, false);
  }

  private async setMarked(roomId: string, unread: boolean): Promise<void> {
    // The SDK types only the account data it knows.
    await this.context.client.setRoomAccountData(roomId, MARKED_UNREAD as never, { unread } as never);
  }

  private receiptType(): ReceiptType {
    return this.isPrivate ? ReceiptType.ReadPrivate : ReceiptType.Read;
  }

  private sum(of: UnreadSum): RoomUnread {
    const rooms =
      of === "direct"
        ? this.lists.outside()
        : of === "everything"
          ? this.lists.lists.read("joined")
          : this.spaces.roomsBelow(of);
    return sumUnread(rooms.map((id) => this.rooms.read(id)));
  }

  private count(room: Room | null): RoomUnread {
    if (room?.getMyMembership() !== "join" || room.isSpaceRoom()) return NOTHING_UNREAD;
    const { Total, Highlight } = NotificationCountType;
    const all = {
      total: room.getUnreadNotificationCount(Total),
      mentions: room.getUnreadNotificationCount(Highlight),
    };
    const main = {
      total: room.getRoomUnreadNotificationCount(Total),
      mentions: room.getRoomUnreadNotificationCount(Highlight),
    };
    const me = this.context.client.getSafeUserId();
    const events = [...room.getLiveTimeline().getEvents(), ...room.getPendingEvents()].slice(-LOOKED_AT_MAX);
    const newest = events.at(-1);
    const isOwn = newest?.getSender() === me && SPOKEN.has(newest.getType());
    const newestId = newest?.getId();
    return deriveUnread({
      main,
      threads: { total: all.total - main.total, mentions: all.mentions - main.mentions },
      hasSeenNewest: isOwn || (newestId !== undefined && room.hasUserReadEvent(me, newestId)),
      hasNewMessages: hasNewMessages(room, events, me),
      isMuted: this.isMuted(room.roomId),
      isMarked: isMarked(room),
    });
  }

  /** Silent is an overriding rule of the room's own that tells nothing (CS API § Push rules). */
  private isMuted(roomId: string): boolean {
    const rules = this.context.client.pushRules?.global;
    const isOfRoom = (rule: { rule_id: string; enabled: boolean }) => rule.rule_id === roomId && rule.enabled;
    const rule = rules?.override?.find(isOfRoom);
    return rule !== undefined && !rule.actions.includes("notify" as never);
  }
}

function isMarked(room: Room): boolean {
  return room.getAccountData(MARKED_UNREAD)?.getContent().unread === true;
}

/** The newest event that the server knows. */
function newestOf(events: readonly MatrixEvent[]): MatrixEvent | undefined {
  return events.findLast((event) => event.getId()?.startsWith("$") === true && !event.status);
}

/** Whether somebody else said something after what has been read. */
function hasNewMessages(room: Room, events: readonly MatrixEvent[], me: string): boolean {
  const message = events.findLast((event) => SPOKEN.has(event.getType()) && !event.isRedacted());
  const id = message?.getId();
  if (!message || !id || message.getSender() === me) return false;
  return !room.hasUserReadEvent(me, id);
}
