import { type MatrixEvent, NotificationCountType, type Room, RoomEvent } from "matrix-js-sdk";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId } from "./ids";
import { DerivedSlice } from "./slice";

export interface RoomUnread {
  /** Messages that the account wants to hear of. */
  readonly count: number;
  /** Those that name this person. */
  readonly mentions: number;
  readonly isMuted: boolean;
}

/** The one author of all unread marks. */
export class Unread {
  readonly rooms: DerivedSlice<RoomUnread, RoomId>;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.rooms = new DerivedSlice(changes, (id) => this.count(client.getRoom(id)));
    const onReceipt = (_event: MatrixEvent, room: Room) => this.rooms.invalidate(asRoomId(room.roomId));
    const onTimeline = (_event: MatrixEvent, room: Room | undefined) => {
      if (room) this.rooms.invalidate(asRoomId(room.roomId));
    };
    client.on(RoomEvent.Receipt, onReceipt);
    client.on(RoomEvent.Timeline, onTimeline);
    onClose(() => {
      client.off(RoomEvent.Receipt, onReceipt);
      client.off(RoomEvent.Timeline, onTimeline);
    });
  }

  private count(room: Room | null): RoomUnread {
    if (!room) return { count: 0, mentions: 0, isMuted: false };
    const rule = this.context.client.getRoomPushRule("global", room.roomId);
    return {
      count: room.getUnreadNotificationCount(NotificationCountType.Total),
      mentions: room.getUnreadNotificationCount(NotificationCountType.Highlight),
      isMuted: rule?.enabled === true && rule.actions.length === 0,
    };
  }
}
