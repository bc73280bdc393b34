import {
  ClientEvent,
  Direction,
  type EventTimelineSet,
  type IRoomTimelineData,
  type MatrixEvent,
  type Room,
  RoomEvent,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { asRoomId, type RoomId } from "../ids";
import { TrimMarks } from "./trim-marks";

/** Events that a room nobody looks at may hold… */
const EVENTS_MAX = 160;
/** …and that stay when it is cut: what opening it shows at first, and what unread marks and previews are made from. */
const EVENTS_KEPT = 60;

/**
 * Lets go of old events of rooms that are not open. The SDK keeps all that ever came or was fetched; what is gone is fetched again
 * when somebody reads so far back.
 */
export class Retention {
  private readonly marks = new Map<RoomId, TrimMarks>();
  private readonly grown = new Set<RoomId>();
  /** Where the last sync answer ended. */
  private token: string | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly isOpen: (roomId: RoomId) => boolean,
  ) {
    const { client, onClose } = context;
    const onSync = (_state: unknown, _before: unknown, data?: { nextSyncToken?: string }) => {
      this.token = data?.nextSyncToken ?? this.token;
      for (const roomId of this.grown) this.trim(roomId);
      this.grown.clear();
    };
    const onTimeline = (
      event: MatrixEvent,
      room: Room | undefined,
      _isStart: boolean | undefined,
      _isRemoved: boolean,
      data: IRoomTimelineData,
    ) => {
      if (!room || data.liveEvent !== true || data.timeline !== room.getLiveTimeline()) return;
      const roomId = asRoomId(room.roomId);
      this.marksOf(roomId).take(event.getId() ?? "", this.token);
      if (data.timeline.getEvents().length > EVENTS_MAX) this.grown.add(roomId);
    };
    // What begins anew has its own token, and nothing to be cut yet.
    const onReset = (room: Room | undefined, set: EventTimelineSet) => {
      if (room && set === room.getUnfilteredTimelineSet()) this.marks.delete(asRoomId(room.roomId));
    };
    client.on(ClientEvent.Sync, onSync);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomEvent.TimelineReset, onReset);
    onClose(() => {
      client.off(ClientEvent.Sync, onSync);
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomEvent.TimelineReset, onReset);
    });
  }

  /** The room is about to be read, perhaps far back. */
  opened(room: Room): void {
    const timeline = room.getLiveTimeline();
    const eventId = timeline.getEvents()[0]?.getId();
    const token = timeline.getPaginationToken(Direction.Backward);
    if (eventId && token) this.marksOf(asRoomId(room.roomId)).takeStart({ eventId, token });
  }

  /** Nobody looks at the room any more. */
  closed(roomId: RoomId): void {
    this.trim(roomId);
  }

  private trim(roomId: RoomId): void {
    const room = this.context.client.getRoom(roomId);
    if (!room || this.isOpen(roomId)) return;
    const set = room.getUnfilteredTimelineSet();
    const timeline = set.getLiveTimeline();
    const events = timeline.getEvents();
    // What lies before a gap hangs on this one, and would be lost behind it.
    if (events.length <= EVENTS_MAX || timeline.getNeighbouringTimeline(Direction.Backward)) return;
    const ids = events.map((event) => event.getId() ?? "");
    const cut = this.marksOf(roomId).cutFor(ids, EVENTS_KEPT);
    if (!cut) return;
    for (const id of ids.slice(0, cut.index)) set.removeEvent(id);
    timeline.setPaginationToken(cut.token, Direction.Backward);
  }

  private marksOf(roomId: RoomId): TrimMarks {
    const marks = this.marks.get(roomId) ?? new TrimMarks();
    this.marks.set(roomId, marks);
    return marks;
  }
}
