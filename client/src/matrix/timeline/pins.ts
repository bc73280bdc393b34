import { EventType, type MatrixEvent, RoomStateEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { asRoomId, type EventId, type RoomId } from "../ids";
import { DerivedSlice } from "../slice";

/** More pins than anybody reads: older ones are let go. */
const PINS_MAX = 100;

/** What a room has pinned, the newest pin first. */
export class Pins {
  readonly rooms: DerivedSlice<readonly EventId[], RoomId>;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.rooms = new DerivedSlice(changes, (roomId): readonly EventId[] => this.list(roomId).toReversed());
    const onState = (event: MatrixEvent) => {
      if (event.getType() === EventType.RoomPinnedEvents)
        this.rooms.invalidate(asRoomId(event.getRoomId() ?? ""));
    };
    client.on(RoomStateEvent.Events, onState);
    onClose(() => client.off(RoomStateEvent.Events, onState));
  }

  async pin(roomId: RoomId, eventId: EventId): Promise<void> {
    const others = this.list(roomId).filter((id) => id !== eventId);
    await this.write(roomId, [...others, eventId].slice(-PINS_MAX));
  }

  async unpin(roomId: RoomId, eventId: EventId): Promise<void> {
    await this.write(
      roomId,
      this.list(roomId).filter((id) => id !== eventId),
    );
  }

  /** Puts a pin one place towards the top of the list, or towards its foot. */
  async move(roomId: RoomId, eventId: EventId, by: "up" | "down"): Promise<void> {
    const pinned = [...this.list(roomId)];
    const from = pinned.indexOf(eventId);
    // The list is shown newest first, and stored the other way round.
    const to = by === "up" ? from + 1 : from - 1;
    if (from < 0 || to < 0 || to >= pinned.length) return;
    pinned.splice(from, 1);
    pinned.splice(to, 0, eventId);
    await this.write(roomId, pinned);
  }

  private async write(roomId: RoomId, pinned: readonly EventId[]): Promise<void> {
    await this.context.client.sendStateEvent(roomId, EventType.RoomPinnedEvents, { pinned: [...pinned] }, "");
  }

  private list(roomId: RoomId): readonly EventId[] {
    const state = this.context.client.getRoom(roomId)?.currentState;
    const pinned: unknown = state?.getStateEvents(EventType.RoomPinnedEvents, "")?.getContent().pinned;
    return Array.isArray(pinned) ? pinned.filter((id): id is EventId => typeof id === "string") : [];
  }
}
