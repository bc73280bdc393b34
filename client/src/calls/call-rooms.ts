import type { Room } from "matrix-js-sdk/lib/matrix";
import {
  type MatrixRTCSession,
  MatrixRTCSessionEvent,
  MatrixRTCSessionManagerEvents,
} from "matrix-js-sdk/lib/matrixrtc";
import type { SessionContext } from "~/matrix/context";
import { asRoomId, type RoomId } from "~/matrix/ids";

const CALL_MEMBER_TYPE = "org.matrix.msc3401.call.member";

interface CallRoomsEvents {
  /** Somebody came into a room's call or left it. */
  readonly onMembers: (roomId: RoomId) => void;
  /** A call may run where none did, or the other way round. */
  readonly onRunning: () => void;
}

/** What rooms say of their calls, also those that this device is not in. */
export class CallRooms {
  private readonly sessions = new Map<MatrixRTCSession, () => void>();

  constructor(
    private readonly context: SessionContext,
    private readonly events: CallRoomsEvents,
  ) {
    const { client, onClose } = context;
    const { onRunning } = events;
    client.matrixRTC.on(MatrixRTCSessionManagerEvents.SessionStarted, onRunning);
    client.matrixRTC.on(MatrixRTCSessionManagerEvents.SessionEnded, onRunning);
    onClose(() => {
      client.matrixRTC.off(MatrixRTCSessionManagerEvents.SessionStarted, onRunning);
      client.matrixRTC.off(MatrixRTCSessionManagerEvents.SessionEnded, onRunning);
      for (const detach of this.sessions.values()) detach();
    });
  }

  /** The joined rooms where a call is running now. */
  running(): readonly RoomId[] {
    const rooms = this.context.client.getRooms().filter((room) => room.getMyMembership() === "join");
    return rooms.filter((room) => this.isRunning(room)).map(({ roomId }) => asRoomId(roomId));
  }

  /** The room's session, followed from now on. */
  sessionOf(roomId: RoomId): MatrixRTCSession | undefined {
    const { client } = this.context;
    const room = client.getRoom(roomId);
    if (!room) return undefined;
    const session = client.matrixRTC.getRoomSession(room);
    if (!this.sessions.has(session)) {
      const onMemberships = () => {
        this.events.onMembers(roomId);
        this.events.onRunning();
      };
      session.on(MatrixRTCSessionEvent.MembershipsChanged, onMemberships);
      this.sessions.set(session, () => session.off(MatrixRTCSessionEvent.MembershipsChanged, onMemberships));
      void meetSenders(room, session);
    }
    return session;
  }

  private isRunning(room: Room): boolean {
    const { matrixRTC } = this.context.client;
    if ((matrixRTC.getActiveRoomSession(room)?.memberships.length ?? 0) > 0) return true;
    // Members that the SDK does not count yet, because it has not met those who sent them.
    const isSaid = room.currentState
      .getStateEvents(CALL_MEMBER_TYPE)
      .some((event) => Object.keys(event.getContent()).length > 0);
    return isSaid && (this.sessionOf(asRoomId(room.roomId))?.memberships.length ?? 0) > 0;
  }
}

/**
 * The SDK counts only members whose own membership in the room it knows, and loads those lazily: who has joined a call
 * and said nothing lately would be missing.
 */
async function meetSenders(room: Room, session: MatrixRTCSession): Promise<void> {
  const senders = room.currentState.getStateEvents(CALL_MEMBER_TYPE).map((event) => event.getSender());
  if (senders.every((sender) => !sender || room.getMember(sender))) return;
  await room.loadMembersIfNeeded().catch(() => {});
  await session.ensureRecalculateSessionMembers().catch(() => {});
}
