import { type MatrixEvent, type Room, RoomEvent } from "matrix-js-sdk";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, type UserId } from "./ids";
import { DerivedSlice } from "./slice";

export interface TimelineMessage {
  /** Stable: the transaction's ID stays the key after the event's ID arrives. */
  readonly key: string;
  readonly sender: UserId;
  readonly body: string;
  readonly ts: number;
}

/** The newest messages of rooms. */
export class Timelines {
  readonly live: DerivedSlice<readonly TimelineMessage[], RoomId>;

  constructor(context: SessionContext) {
    const { client, changes, onClose } = context;
    this.live = new DerivedSlice(changes, (roomId) => read(client.getRoom(roomId)));
    const onTimeline = (_event: MatrixEvent, room: Room | undefined) => {
      if (room) this.live.invalidate(asRoomId(room.roomId));
    };
    const onEcho = (_event: MatrixEvent, room: Room) => this.live.invalidate(asRoomId(room.roomId));
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.LocalEchoUpdated, onEcho);
    onClose(() => {
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.LocalEchoUpdated, onEcho);
    });
  }
}

function read(room: Room | null): readonly TimelineMessage[] {
  if (!room) return [];
  return [...room.getLiveTimeline().getEvents(), ...room.getPendingEvents()]
    .filter((event) => event.getType() === "m.room.message")
    .map((event) => ({
      key: event.getTxnId() ?? event.getId() ?? "",
      sender: asUserId(event.getSender() ?? ""),
      body: String(event.getContent().body ?? ""),
      ts: event.getTs(),
    }));
}
