import * as v from "valibot";
import type { SessionContext } from "./context";
import { readSpaceChild } from "./hierarchy";
import { asRoomId, asUserId, type RoomId, serverOf, type UserId } from "./ids";
import { VOICE_ROOM_TYPE } from "./rooms";

/** An invitation, as it can be judged before it is answered. */
interface Invitation {
  readonly roomId: RoomId;
  readonly name: string;
  readonly inviter: UserId | undefined;
  readonly inviterName: string;
  readonly inviterAvatarMxc: string | undefined;
  /** The company of who invites, if it is another. */
  readonly partnerServer: string | undefined;
  readonly isDirect: boolean;
  readonly isSpace: boolean;
  readonly ts: number;
}

/** What a room tells to who is not in it (CS API § Room previews). */
export interface RoomPreview {
  readonly roomId: RoomId;
  readonly name: string | undefined;
  readonly topic: string | undefined;
  readonly avatarMxc: string | undefined;
  readonly alias: string | undefined;
  readonly memberCount: number;
  readonly isSpace: boolean;
  readonly isVoice: boolean;
  readonly isEncrypted: boolean;
  /** How one gets in. */
  readonly access: "public" | "knock" | "restricted" | "invite";
  readonly membership: string | undefined;
}

const Summary = v.object({
  room_id: v.string(),
  name: v.optional(v.string()),
  topic: v.optional(v.string()),
  avatar_url: v.optional(v.string()),
  canonical_alias: v.optional(v.string()),
  num_joined_members: v.optional(v.number(), 0),
  room_type: v.optional(v.string()),
  join_rule: v.optional(v.string()),
  encryption: v.optional(v.string()),
  membership: v.optional(v.string()),
});

/** Children of a space that are joined with it, at most: more are offered in its list. */
const JOINED_WITH_MAX = 30;

/** Coming and going: joining, inviting, answering, leaving. */
export class Membership {
  constructor(private readonly context: SessionContext) {}

  /** Joins a room or server by its ID or address; of a server also the channels that it suggests. */
  async join(target: string, via: readonly string[] = []): Promise<RoomId> {
    const { client } = this.context;
    const room = await client.joinRoom(target, { viaServers: [...via] });
    const roomId = asRoomId(room.roomId);
    await this.joinSuggested(roomId).catch(() => {});
    return roomId;
  }

  /** Asks to be let in. */
  async knock(target: string, reason: string, via: readonly string[] = []): Promise<void> {
    await this.context.client.knockRoom(target, { viaServers: [...via], ...(reason ? { reason } : {}) });
  }

  /** Leaves a room; of a server also every channel in it. */
  async leave(roomId: RoomId, channels: readonly RoomId[] = []): Promise<void> {
    for (const channel of channels) await this.context.client.leave(channel).catch(() => {});
    await this.context.client.leave(roomId);
  }

  async invite(roomId: RoomId, userId: UserId, reason?: string): Promise<void> {
    await this.context.client.invite(roomId, userId, reason ? { reason } : {});
  }

  /** Accepts an invitation; one to a direct message is remembered as such. */
  async accept(roomId: RoomId): Promise<void> {
    const invitation = this.invitation(roomId);
    await this.context.client.joinRoom(roomId);
    if (invitation?.isDirect && invitation.inviter) await this.rememberDirect(roomId, invitation.inviter);
    await this.joinSuggested(roomId).catch(() => {});
  }

  async decline(roomId: RoomId): Promise<void> {
    await this.context.client.leave(roomId);
  }

  /** Declines, and hears nothing more of who invited. */
  async declineAndIgnore(roomId: RoomId): Promise<void> {
    const { client } = this.context;
    const inviter = this.invitation(roomId)?.inviter;
    await this.decline(roomId);
    if (inviter) await client.setIgnoredUsers([...new Set([...client.getIgnoredUsers(), inviter])]);
  }

  /** Lets somebody in who knocked, or sends them away. */
  async answerKnock(roomId: RoomId, userId: UserId, isWelcome: boolean): Promise<void> {
    if (isWelcome) await this.context.client.invite(roomId, userId);
    else await this.context.client.kick(roomId, userId);
  }

  /** What an invitation says of itself; `undefined` if there is none (any more). */
  invitation(roomId: RoomId): Invitation | undefined {
    const { client } = this.context;
    const room = client.getRoom(roomId);
    if (room?.getMyMembership() !== "invite") return undefined;
    const event = room.currentState.getStateEvents("m.room.member", client.getSafeUserId());
    const inviter = event?.getSender();
    const member = inviter ? room.getMember(inviter) : null;
    const server = inviter ? serverOf(inviter) : "";
    return {
      roomId,
      name: room.name,
      inviter: inviter ? asUserId(inviter) : undefined,
      inviterName: member?.rawDisplayName ?? inviter ?? "",
      inviterAvatarMxc: member?.getMxcAvatarUrl(),
      partnerServer: server && server !== serverOf(client.getSafeUserId()) ? server : undefined,
      isDirect: event?.getContent().is_direct === true,
      isSpace: room.isSpaceRoom(),
      ts: event?.getTs() ?? 0,
    };
  }

  /** The room that an address names. */
  async resolve(alias: string): Promise<{ roomId: RoomId; via: readonly string[] }> {
    const { room_id, servers } = await this.context.client.getRoomIdForAlias(alias);
    return { roomId: asRoomId(room_id), via: servers.slice(0, 3) };
  }

  async preview(target: string, via: readonly string[] = []): Promise<RoomPreview> {
    const summary = v.parse(Summary, await this.context.client.getRoomSummary(target, [...via]));
    const rule = summary.join_rule;
    return {
      roomId: asRoomId(summary.room_id),
      name: summary.name,
      topic: summary.topic,
      avatarMxc: summary.avatar_url,
      alias: summary.canonical_alias,
      memberCount: summary.num_joined_members,
      isSpace: summary.room_type === "m.space",
      isVoice: summary.room_type === VOICE_ROOM_TYPE,
      isEncrypted: summary.encryption !== undefined,
      access:
        rule === "knock" || rule === "knock_restricted"
          ? "knock"
          : rule === "public" || rule === "restricted"
            ? rule
            : "invite",
      membership: summary.membership,
    };
  }

  /** Joining a server joins the channels it suggests, in one step (CS API § Spaces, `suggested`). */
  private async joinSuggested(spaceId: RoomId): Promise<void> {
    const { client } = this.context;
    const isSpace = client.getRoom(spaceId)?.isSpaceRoom();
    // Right after joining, the state may not have come by sync yet.
    if (isSpace === false) return;
    const { rooms } = await client.getRoomHierarchy(spaceId, JOINED_WITH_MAX, undefined, true);
    const children = rooms.flatMap(({ children_state }) => children_state.map(readSpaceChild));
    const isKnown = new Set(
      client
        .getRooms()
        .filter((room) => room.getMyMembership() === "join")
        .map((room) => room.roomId),
    );
    for (const { id, via, isSuggested } of children.slice(0, JOINED_WITH_MAX)) {
      if (isSuggested && !isKnown.has(id))
        await client.joinRoom(id, { viaServers: [...via] }).catch(() => {});
    }
  }

  private async rememberDirect(roomId: RoomId, userId: UserId): Promise<void> {
    const { client } = this.context;
    const content = { ...client.getAccountData("m.direct" as never)?.getContent() } as Record<
      string,
      unknown
    >;
    const rooms = Array.isArray(content[userId]) ? (content[userId] as unknown[]) : [];
    if (rooms.includes(roomId)) return;
    await client.setAccountData("m.direct" as never, { ...content, [userId]: [...rooms, roomId] } as never);
  }
}
