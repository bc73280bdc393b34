import {
  type MatrixEvent,
  MatrixEventEvent,
  type Room,
  RoomEvent,
  SyncState,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asEventId, asRoomId, asUserId, type EventId, type RoomId, type UserId } from "./ids";
import type { Rooms } from "./rooms";

/** A message that this account wants to hear of while it looks elsewhere. */
export interface Notice {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly roomName: string;
  readonly isDirect: boolean;
  readonly sender: UserId;
  readonly senderName: string;
  /** What was written, in plain text; empty for what cannot be read (yet) and what is no text. */
  readonly text: string;
  readonly isMention: boolean;
  readonly isInvite: boolean;
  readonly hasSound: boolean;
}

interface NoticeListener {
  onNotice: (notice: Notice) => void;
  /** It was read: here, or on another device. */
  onRead: (roomId: RoomId, eventIds: readonly EventId[]) => void;
}

/** What is longer is cut by every desktop anyway. */
const TEXT_CHARACTERS_MAX = 200;
/** Notices that may still be read elsewhere; older ones are forgotten. */
const OPEN_MAX = 100;

/** Tells of new messages by the account's push rules, as they come by sync. */
export class Notices {
  private listener: NoticeListener | undefined;
  private open: { roomId: RoomId; eventId: EventId }[] = [];

  constructor(
    private readonly context: SessionContext,
    private readonly rooms: Rooms,
  ) {
    const { client, onClose } = context;
    const onTimeline = (
      event: MatrixEvent,
      room: Room | undefined,
      _toStart: boolean | undefined,
      _removed: boolean,
      data: { liveEvent?: boolean },
    ) => {
      // Not what lay in the cache, nor what the first answer brings.
      if (!room || !data.liveEvent || client.getSyncState() !== SyncState.Syncing) return;
      if (event.getSender() === client.getUserId()) return;
      if (event.isBeingDecrypted() || event.shouldAttemptDecryption()) {
        event.once(MatrixEventEvent.Decrypted, () => this.judge(event, room));
      } else this.judge(event, room);
    };
    const onReceipt = (_event: MatrixEvent, room: Room) => this.closeRead(room);
    const onInvite = (room: Room, membership: string) => {
      if (membership === "invite" && client.getSyncState() === SyncState.Syncing) this.tellInvite(room);
    };
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.Receipt, onReceipt);
    client.on(RoomEvent.MyMembership, onInvite);
    onClose(() => {
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.Receipt, onReceipt);
      client.off(RoomEvent.MyMembership, onInvite);
      this.listener = undefined;
    });
  }

  /** One listener: what shows them. Gives the way to stop. */
  listen(listener: NoticeListener): () => void {
    this.listener = listener;
    return () => {
      if (this.listener === listener) this.listener = undefined;
    };
  }

  private judge(event: MatrixEvent, room: Room): void {
    const { client } = this.context;
    const actions = client.getPushActionsForEvent(event, true);
    const [roomId, eventId] = [asRoomId(room.roomId), asEventId(event.getId() ?? "")];
    if (!actions?.notify || event.isRedacted()) return;
    if (room.hasUserReadEvent(client.getSafeUserId(), eventId)) return;
    this.open = [...this.open, { roomId, eventId }].slice(-OPEN_MAX);
    const sender = asUserId(event.getSender() ?? "");
    this.listener?.onNotice({
      roomId,
      eventId,
      roomName: room.name,
      isDirect: this.rooms.summary(roomId)?.directWith !== undefined,
      sender,
      senderName: room.getMember(sender)?.rawDisplayName ?? sender,
      text: textOf(event),
      isMention: actions.tweaks.highlight === true,
      isInvite: false,
      hasSound: actions.tweaks.sound !== undefined,
    });
  }

  private tellInvite(room: Room): void {
    const { client } = this.context;
    const own = room.getMember(client.getSafeUserId())?.events.member;
    const sender = asUserId(own?.getSender() ?? "");
    if (!own || client.isUserIgnored(sender)) return;
    if (!client.getPushActionsForEvent(own, true)?.notify) return;
    this.listener?.onNotice({
      roomId: asRoomId(room.roomId),
      eventId: asEventId(own.getId() ?? ""),
      roomName: room.name,
      isDirect: own.getContent().is_direct === true,
      sender,
      senderName: room.getMember(sender)?.rawDisplayName ?? sender,
      text: "",
      isMention: true,
      isInvite: true,
      hasSound: true,
    });
  }

  private closeRead(room: Room): void {
    const me = this.context.client.getSafeUserId();
    const roomId = asRoomId(room.roomId);
    const isRead = (one: { roomId: RoomId; eventId: EventId }) =>
      one.roomId === roomId && room.hasUserReadEvent(me, one.eventId);
    const read = this.open.filter(isRead);
    if (read.length === 0) return;
    this.open = this.open.filter((one) => !read.includes(one));
    this.listener?.onRead(
      roomId,
      read.map(({ eventId }) => eventId),
    );
  }
}

function textOf(event: MatrixEvent): string {
  if (event.isDecryptionFailure() || (event.isEncrypted() && event.getType() === "m.room.encrypted"))
    return "";
  const { body } = event.getContent();
  return typeof body === "string" ? [...body].slice(0, TEXT_CHARACTERS_MAX).join("") : "";
}
