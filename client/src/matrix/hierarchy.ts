import * as v from "valibot";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, serverOf, type UserId } from "./ids";
import { VOICE_ROOM_TYPE } from "./rooms";

/** A room that can be found without being in it. */
export interface FoundRoom {
  readonly id: RoomId;
  readonly name: string;
  readonly topic: string;
  readonly alias: string | undefined;
  readonly avatarMxc: string | undefined;
  readonly memberCount: number;
  readonly kind: "text" | "voice" | "space";
  readonly access: "public" | "knock" | "restricted" | "invite";
  /** Servers to join it by. */
  readonly via: readonly string[];
  readonly isSuggested: boolean;
}

export interface FoundPerson {
  readonly userId: UserId;
  readonly name: string;
  readonly avatarMxc: string | undefined;
  readonly partnerServer: string | undefined;
}

const Chunk = v.object({
  room_id: v.string(),
  name: v.optional(v.string()),
  topic: v.optional(v.string()),
  canonical_alias: v.optional(v.string()),
  avatar_url: v.optional(v.string()),
  num_joined_members: v.optional(v.number(), 0),
  room_type: v.optional(v.string()),
  join_rule: v.optional(v.string()),
});

const People = v.object({
  limited: v.optional(v.boolean(), false),
  results: v.array(
    v.object({
      user_id: v.string(),
      display_name: v.optional(v.nullable(v.string())),
      avatar_url: v.optional(v.nullable(v.string())),
    }),
  ),
});

const PAGE = 50;
const PEOPLE_MAX = 20;
/** Pages of one server's hierarchy that are read: 200 rooms are more than a list of suggestions shows. */
const HIERARCHY_ROOMS_MAX = 200;

/** Finding rooms and people that this account does not have yet. */
export class Directory {
  constructor(private readonly context: SessionContext) {}

  /** Public rooms of our server, or of a partner's, by words; a page and the way to the next. */
  async publicRooms(
    term: string,
    { server, since }: { server?: string | undefined; since?: string | undefined } = {},
  ): Promise<{ rooms: readonly FoundRoom[]; next: string | undefined }> {
    const answer = await this.context.client.publicRooms({
      limit: PAGE,
      ...(server ? { server } : {}),
      ...(since ? { since } : {}),
      ...(term ? { filter: { generic_search_term: term } } : {}),
    });
    const via = server ? [server] : [];
    return { rooms: answer.chunk.flatMap((chunk) => readFound(chunk, via, false)), next: answer.next_batch };
  }

  /** The rooms of a server that this account may see, without those it is in. */
  async unjoined(spaceId: RoomId): Promise<readonly FoundRoom[]> {
    const { client } = this.context;
    const { rooms } = await client.getRoomHierarchy(spaceId, HIERARCHY_ROOMS_MAX);
    const children = new Map(
      rooms
        .flatMap(({ children_state }) => children_state.map(readSpaceChild))
        .map((child) => [child.id, child]),
    );
    return rooms
      .filter(({ room_id }) => room_id !== spaceId && client.getRoom(room_id)?.getMyMembership() !== "join")
      .flatMap((room) => {
        const child = children.get(room.room_id);
        return readFound(room, child?.via ?? [], child?.isSuggested ?? false);
      });
  }

  /** People by name, from the server's directory; without this account itself. */
  async people(term: string): Promise<readonly FoundPerson[]> {
    if (term.trim() === "") return [];
    const { client } = this.context;
    const answer = v.parse(People, await client.searchUserDirectory({ term, limit: PEOPLE_MAX }));
    const own = client.getSafeUserId();
    return answer.results
      .filter(({ user_id }) => user_id !== own)
      .map(({ user_id, display_name, avatar_url }) => ({
        userId: asUserId(user_id),
        name: display_name || user_id,
        avatarMxc: avatar_url ?? undefined,
        partnerServer: serverOf(user_id) === serverOf(own) ? undefined : serverOf(user_id),
      }));
  }
}

/** A child as a space's hierarchy tells it. */
export function readSpaceChild(event: {
  state_key: string;
  content: { via?: unknown; suggested?: unknown };
}): {
  id: string;
  via: readonly string[];
  isSuggested: boolean;
} {
  const { via, suggested } = event.content;
  return {
    id: event.state_key,
    via: Array.isArray(via) ? via.filter((server) => typeof server === "string").slice(0, 3) : [],
    isSuggested: suggested === true,
  };
}

function readFound(chunk: unknown, via: readonly string[], isSuggested: boolean): FoundRoom[] {
  const parsed = v.safeParse(Chunk, chunk);
  if (!parsed.success) return [];
  const room = parsed.output;
  const rule = room.join_rule ?? "public";
  return [
    {
      id: asRoomId(room.room_id),
      name: room.name ?? room.canonical_alias ?? room.room_id,
      topic: room.topic ?? "",
      alias: room.canonical_alias,
      avatarMxc: room.avatar_url,
      memberCount: room.num_joined_members,
      kind: room.room_type === "m.space" ? "space" : room.room_type === VOICE_ROOM_TYPE ? "voice" : "text",
      access: rule.startsWith("knock")
        ? "knock"
        : rule === "restricted" || rule === "public"
          ? rule
          : "invite",
      via,
      isSuggested,
    },
  ];
}
