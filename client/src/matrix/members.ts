import {
  EventTimeline,
  type MatrixEvent,
  type Room,
  type RoomMember,
  RoomMemberEvent,
  RoomStateEvent,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, serverOf, type UserId } from "./ids";
import { DerivedSlice } from "./slice";

export interface Member {
  readonly userId: UserId;
  readonly name: string;
  readonly avatarMxc: string | undefined;
  readonly membership: "join" | "invite" | "leave" | "ban" | "knock";
  readonly powerLevel: number;
  /** The server of another company; `undefined` for our own people. */
  readonly partnerServer: string | undefined;
}

/** Somebody who may not come back, and what is known of why. */
export interface Banned {
  readonly userId: UserId;
  readonly name: string;
  readonly avatarMxc: string | undefined;
  readonly partnerServer: string | undefined;
  readonly by: UserId;
  readonly byName: string;
  readonly reason: string;
  readonly ts: number;
}

/** Reasons are for lists: what is longer is cut. */
const REASON_LENGTH_MAX = 500;
/** Of larger rooms the whole list is fetched only for who opens it: it is some 400 bytes for each member. */
const LOADED_UNASKED_MAX = 2_000;

/** A key of one person in one room. */
export type MemberKey = `${RoomId}|${UserId}`;
export const memberKey = (roomId: RoomId, userId: UserId): MemberKey => `${roomId}|${userId}`;

export class Members {
  /**
   * One person as a room knows them. The server tells of those who spoke lately; of whom nothing is known the members are asked for,
   * once a room. Someone who is not in it has their ID's name.
   */
  readonly one: DerivedSlice<Member, MemberKey>;
  /** Everybody joined or invited. Ask `load` first: the SDK knows only who spoke lately. */
  readonly all: DerivedSlice<readonly Member[], RoomId>;
  /** Who is banned, the latest first. Ask `load` first. */
  readonly banned: DerivedSlice<readonly Banned[], RoomId>;
  /** The rooms whose members were asked for because of somebody of whom nothing was known. */
  private readonly asked = new Set<string>();

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.one = new DerivedSlice(changes, (key) => this.find(key));
    this.all = new DerivedSlice(changes, (roomId) => this.list(roomId));
    this.banned = new DerivedSlice(changes, (roomId) => this.listBanned(roomId));
    const onMember = (_event: MatrixEvent, member: RoomMember) => {
      const roomId = asRoomId(member.roomId);
      this.one.invalidate(memberKey(roomId, asUserId(member.userId)));
      this.all.invalidate(roomId);
      this.banned.invalidate(roomId);
    };
    const onMembers = (_event: MatrixEvent, _state: unknown, member: RoomMember) => onMember(_event, member);
    client.on(RoomMemberEvent.Name, onMember);
    client.on(RoomMemberEvent.Membership, onMember);
    client.on(RoomMemberEvent.PowerLevel, onMember);
    client.on(RoomStateEvent.Members, onMembers);
    onClose(() => {
      client.off(RoomMemberEvent.Name, onMember);
      client.off(RoomMemberEvent.Membership, onMember);
      client.off(RoomMemberEvent.PowerLevel, onMember);
      client.off(RoomStateEvent.Members, onMembers);
    });
  }

  /** Fetches the room's whole list of members, once. */
  async load(roomId: RoomId): Promise<void> {
    await this.context.client.getRoom(roomId)?.loadMembersIfNeeded();
    this.all.invalidate(roomId);
    this.banned.invalidate(roomId);
  }

  private find(key: MemberKey): Member {
    const bar = key.indexOf("|");
    const [roomId, userId] = [key.slice(0, bar), asUserId(key.slice(bar + 1))];
    const room = this.context.client.getRoom(roomId);
    const member = room && (room.getMember(userId) ?? memberOfThen(room, userId));
    if (member) return this.describe(member);
    if (room) this.askFor(room);
    return this.stranger(userId);
  }

  private askFor(room: Room): void {
    const isSmall = room.getJoinedMemberCount() <= LOADED_UNASKED_MAX;
    if (!isSmall || room.getMyMembership() !== "join" || this.asked.has(room.roomId)) return;
    this.asked.add(room.roomId);
    void this.load(asRoomId(room.roomId)).catch(() => this.asked.delete(room.roomId));
  }

  private list(roomId: RoomId): readonly Member[] {
    const room = this.context.client.getRoom(roomId);
    if (!room) return [];
    return [...room.getMembersWithMembership("join"), ...room.getMembersWithMembership("invite")].map(
      (member) => this.describe(member),
    );
  }

  private listBanned(roomId: RoomId): readonly Banned[] {
    const room = this.context.client.getRoom(roomId);
    const banned = (room?.getMembersWithMembership("ban") ?? []).map((member): Banned => {
      const event = member.events.member;
      const by = asUserId(event?.getSender() ?? "");
      const reason: unknown = event?.getContent().reason;
      // Servers leave the name out of a ban; it is in what was before.
      const before: unknown = event?.getPrevContent().displayname;
      const { userId, name, avatarMxc, partnerServer } = this.describe(member);
      return {
        userId,
        name: name === userId && typeof before === "string" ? before : name,
        avatarMxc,
        partnerServer,
        by,
        byName: room?.getMember(by)?.rawDisplayName || by,
        reason: typeof reason === "string" ? reason.slice(0, REASON_LENGTH_MAX) : "",
        ts: event?.getTs() ?? 0,
      };
    });
    return banned.sort((a, b) => b.ts - a.ts);
  }

  private describe(member: RoomMember): Member {
    const userId = asUserId(member.userId);
    return {
      userId,
      name: member.rawDisplayName || userId,
      avatarMxc: member.getMxcAvatarUrl(),
      membership: (member.membership ?? "leave") as Member["membership"],
      powerLevel: member.powerLevel,
      partnerServer: this.partnerServer(userId),
    };
  }

  private stranger(userId: UserId): Member {
    return {
      userId,
      name: userId,
      avatarMxc: undefined,
      membership: "leave",
      powerLevel: 0,
      partnerServer: this.partnerServer(userId),
    };
  }

  private partnerServer(userId: UserId): string | undefined {
    const server = serverOf(userId);
    return server === serverOf(this.context.client.getSafeUserId()) ? undefined : server;
  }
}

/** Who wrote long ago, as the page of messages told that was fetched with theirs. */
function memberOfThen(room: Room, userId: UserId): RoomMember | undefined {
  for (const timeline of room.getUnfilteredTimelineSet().getTimelines()) {
    const member = timeline.getState(EventTimeline.BACKWARDS)?.getMember(userId);
    if (member?.events.member) return member;
  }
  return undefined;
}
