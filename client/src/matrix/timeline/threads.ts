import {
  type MatrixEvent,
  NotificationCountType,
  type Room,
  RoomEvent,
  type Thread,
  ThreadEvent,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { asEventId, asRoomId, asUserId, type EventId, type RoomId, type UserId } from "../ids";
import { DerivedSlice } from "../slice";

export interface ThreadRow {
  readonly threadId: EventId;
  readonly count: number;
  readonly lastSender: UserId | undefined;
  readonly lastTs: number;
  readonly unread: number;
  readonly mentions: number;
}

/** The threads of rooms, the one last spoken in first. */
export class Threads {
  readonly rooms: DerivedSlice<readonly ThreadRow[], RoomId>;
  private readonly watched = new Map<RoomId, () => void>();

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.rooms = new DerivedSlice(
      changes,
      (roomId) => rows(client.getRoom(roomId)),
      (a, b) => JSON.stringify(a) === JSON.stringify(b),
    );
    onClose(() => {
      for (const stop of this.watched.values()) stop();
    });
  }

  /** Fetches the room's list of threads, and follows it from now on. */
  async load(roomId: RoomId): Promise<void> {
    const room = this.context.client.getRoom(roomId);
    if (!room) return;
    this.follow(asRoomId(roomId), room);
    await room.createThreadsTimelineSets();
    await room.fetchRoomThreads();
    this.rooms.invalidate(roomId);
  }

  private follow(roomId: RoomId, room: Room): void {
    if (this.watched.has(roomId)) return;
    const onChange = () => this.rooms.invalidate(roomId);
    const onTimeline = (event: MatrixEvent) => {
      if (event.threadRootId) onChange();
    };
    room.on(ThreadEvent.New, onChange);
    room.on(ThreadEvent.Update, onChange);
    room.on(RoomEvent.UnreadNotifications, onChange);
    room.on(RoomEvent.Timeline, onTimeline);
    this.watched.set(roomId, () => {
      room.off(ThreadEvent.New, onChange);
      room.off(ThreadEvent.Update, onChange);
      room.off(RoomEvent.UnreadNotifications, onChange);
      room.off(RoomEvent.Timeline, onTimeline);
    });
  }
}

function rows(room: Room | null): readonly ThreadRow[] {
  if (!room) return [];
  return room
    .getThreads()
    .filter((thread) => thread.length > 0)
    .map((thread) => row(room, thread))
    .sort((a, b) => b.lastTs - a.lastTs);
}

function row(room: Room, thread: Thread): ThreadRow {
  const last = thread.replyToEvent;
  const sender = last?.getSender();
  return {
    threadId: asEventId(thread.id),
    count: thread.length,
    lastSender: sender ? asUserId(sender) : undefined,
    lastTs: last?.getTs() ?? 0,
    unread: room.getThreadUnreadNotificationCount(thread.id, NotificationCountType.Total),
    mentions: room.getThreadUnreadNotificationCount(thread.id, NotificationCountType.Highlight),
  };
}
