import { type MatrixEvent, MatrixEventEvent, type Room, RoomEvent } from "matrix-js-sdk/lib/matrix";
import { MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc";
import type { SessionContext } from "~/matrix/context";
import { asRoomId, type RoomId, type UserId } from "~/matrix/ids";
import { DerivedSlice } from "~/matrix/slice";
import { DECLINE_TYPE, judgeRing, LIFETIME_MS, NOTIFICATION_TYPE, referenceOf } from "./ring-rules";
import { type Calling, type CallMember, memberKey, type Ring } from "./types";

const SLOT_ID = "m.call#ROOM";
/** How often it is looked whether somebody still rings: whoever joins or hangs up ends it. */
const LOOK_EVERY_MS = 500;
/** After joining, the room tells us of ourselves within a sync; longer means that it never will. */
const MEMBERSHIP_WITHIN_MS = 15_000;
/** For how long "declined" and "no answer" stay to be read. */
const OUTCOME_MS = 8_000;

/** Calls that ring here, and the one that we let ring at others. */
export class Ringing {
  /** The call that rings now; the first of several. */
  readonly incoming: DerivedSlice<{ ring: Ring | undefined }>;
  readonly outgoing: DerivedSlice<{ calling: Calling | undefined }>;
  /** Called when the person whom we call has said no or nothing. */
  onNoAnswer: (roomId: RoomId) => void = () => {};
  private rings: readonly Ring[] = [];
  private calling: (Calling & { eventId: string; untilTs: number }) | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly members: (roomId: RoomId) => readonly CallMember[],
  ) {
    const { client, changes, onClose } = context;
    this.incoming = new DerivedSlice(changes, () => ({ ring: this.rings[0] }));
    this.outgoing = new DerivedSlice<{ calling: Calling | undefined }>(changes, () => ({
      calling: this.calling,
    }));
    const onTimeline = (event: MatrixEvent) => this.onEvent(event);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(MatrixEventEvent.Decrypted, onTimeline);
    onClose(() => {
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(MatrixEventEvent.Decrypted, onTimeline);
      clearInterval(this.timer);
    });
  }

  /** Lets the call that we have joined ring at this person. */
  async ring(roomId: RoomId, userId: UserId, hasVideo: boolean): Promise<void> {
    const { client } = this.context;
    const own = await this.ownMembership(roomId);
    const senderTs = Date.now();
    const { event_id: eventId } = await client.sendEvent(
      roomId,
      NOTIFICATION_TYPE as never,
      {
        slot_id: SLOT_ID,
        notification_type: "ring",
        "m.call.intent": hasVideo ? "video" : "audio",
        sender_ts: senderTs,
        lifetime: LIFETIME_MS,
        // By name: everybody may be named, and only few may mention the whole room.
        "m.mentions": { user_ids: [userId], room: false },
        "m.relates_to": { rel_type: "m.reference", event_id: own },
      } as never,
    );
    this.setCalling({ roomId, state: "ringing", eventId, untilTs: senderTs + LIFETIME_MS });
  }

  /** Says no, to the caller and to our other devices. */
  async decline({ roomId, eventId }: Ring): Promise<void> {
    this.drop(eventId);
    await this.context.client.sendEvent(
      roomId,
      DECLINE_TYPE as never,
      {
        msc4354_sticky_key: eventId,
        "m.relates_to": { rel_type: "m.reference", event_id: eventId },
      } as never,
    );
  }

  /** Stops ringing here: it was answered or ignored. */
  drop(eventId: string): void {
    this.rings = this.rings.filter((ring) => ring.eventId !== eventId);
    this.incoming.invalidate("incoming");
  }

  /** We have left the room's call: nobody is called any longer. */
  stop(roomId: RoomId): void {
    if (this.calling?.roomId === roomId && this.calling.state === "ringing") this.setCalling(undefined);
  }

  /** Our membership's event; it comes back with the next sync after joining. */
  private async ownMembership(roomId: RoomId): Promise<string> {
    const { client } = this.context;
    const room = client.getRoom(roomId);
    if (!room) throw new Error("this account is not in the room");
    const session = client.matrixRTC.getRoomSession(room);
    const me = memberKey(client.getSafeUserId(), client.getDeviceId() ?? "");
    const find = () =>
      session.memberships.find(({ userId, deviceId }) => memberKey(userId, deviceId) === me)?.eventId;
    return new Promise((resolve, reject) => {
      const settle = () => {
        const eventId = find();
        if (!eventId) return;
        finish();
        resolve(eventId);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error("only who is in a call can let it ring"));
      }, MEMBERSHIP_WITHIN_MS);
      const finish = () => {
        clearTimeout(timer);
        session.off(MatrixRTCSessionEvent.MembershipsChanged, settle);
      };
      session.on(MatrixRTCSessionEvent.MembershipsChanged, settle);
      settle();
    });
  }

  private onEvent(event: MatrixEvent): void {
    const type = event.getType();
    if (type === NOTIFICATION_TYPE) this.onNotification(event);
    if (type === DECLINE_TYPE) this.onDecline(event);
  }

  private onNotification(event: MatrixEvent): void {
    const { client } = this.context;
    const room = client.getRoom(event.getRoomId());
    const [eventId, sender] = [event.getId(), event.getSender()];
    if (!room || !eventId || !sender || this.rings.some((ring) => ring.eventId === eventId)) return;
    const roomId = asRoomId(room.roomId);
    const userId = client.getSafeUserId();
    const ring = judgeRing(
      { eventId, sender, originTs: event.getTs(), content: event.getContent() },
      {
        userId,
        now: Date.now(),
        mayMentionRoom: mayMentionRoom(room, sender),
        isSlotClosed: client.matrixRTC.isSlotClosed(room) === true,
        hasJoined: this.members(roomId).some((member) => member.userId === userId),
      },
    );
    if (!ring || isDeclined(room, eventId, userId)) return;
    this.rings = [...this.rings, { ...ring, roomId }];
    this.incoming.invalidate("incoming");
    this.look();
  }

  private onDecline(event: MatrixEvent): void {
    const target = referenceOf(event.getContent());
    if (!target) return;
    if (event.getSender() === this.context.client.getSafeUserId()) this.drop(target);
    else if (this.calling?.eventId === target) this.conclude("declined");
  }

  /** Looks after what rings, for as long as anything does. */
  private look(): void {
    this.timer ??= setInterval(() => {
      const now = Date.now();
      const before = this.rings;
      this.rings = before.filter((ring) => now < ring.untilTs && !this.isOver(ring));
      if (this.rings.length !== before.length) this.incoming.invalidate("incoming");
      const { calling } = this;
      if (calling?.state === "ringing") {
        const others = this.members(calling.roomId).filter(({ isMe }) => !isMe);
        if (others.length > 0) this.setCalling(undefined);
        else if (now >= calling.untilTs) this.conclude("unanswered");
      }
      if (this.rings.length > 0 || this.calling?.state === "ringing") return;
      clearInterval(this.timer);
      this.timer = undefined;
    }, LOOK_EVERY_MS);
  }

  /** The caller has hung up, or another device of ours has answered. */
  private isOver(ring: Ring): boolean {
    const members = this.members(ring.roomId);
    const isAnswered = members.some(({ userId }) => userId === this.context.client.getSafeUserId());
    const hasCaller = members.some(({ userId }) => userId === ring.from);
    // The membership may come after the notification.
    return isAnswered || (!hasCaller && Date.now() - (ring.untilTs - LIFETIME_MS) > 5_000);
  }

  private conclude(state: "declined" | "unanswered"): void {
    const { calling } = this;
    if (!calling) return;
    const concluded = { ...calling, state };
    this.setCalling(concluded);
    this.onNoAnswer(calling.roomId);
    setTimeout(() => {
      if (this.calling === concluded) this.setCalling(undefined);
    }, OUTCOME_MS);
  }

  private setCalling(calling: Ringing["calling"]): void {
    this.calling = calling;
    this.outgoing.invalidate("outgoing");
    if (calling?.state === "ringing") this.look();
  }
}

function mayMentionRoom(room: Room, userId: string): boolean {
  return room.currentState.mayTriggerNotifOfType("room", userId);
}

/** Whether we have said no to it already, on this device or another. */
function isDeclined(room: Room, eventId: string, userId: string): boolean {
  return room
    .getLiveTimeline()
    .getEvents()
    .some(
      (event) =>
        event.getType() === DECLINE_TYPE &&
        event.getSender() === userId &&
        referenceOf(event.getContent()) === eventId,
    );
}
