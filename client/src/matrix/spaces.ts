import { type MatrixEvent, type Room, RoomStateEvent } from "matrix-js-sdk";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId } from "./ids";
import type { Rooms } from "./rooms";
import { DerivedSlice } from "./slice";

/** A heading in the channel list with its rooms, in order. The one without a space holds a server's own channels. */
export interface Category {
  readonly id: RoomId | undefined;
  readonly channels: readonly RoomId[];
}

/** Servers (top-level spaces) and what is in them (CS API § Spaces). */
export class Spaces {
  /** One key, `"servers"`: the joined spaces that are in no other joined space. */
  readonly servers: DerivedSlice<readonly RoomId[]>;
  readonly categories: DerivedSlice<readonly Category[], RoomId>;

  constructor(
    private readonly context: SessionContext,
    private readonly rooms: Rooms,
  ) {
    const { client, changes, onClose } = context;
    this.servers = new DerivedSlice(changes, () => this.topLevel());
    this.categories = new DerivedSlice(changes, (id) => this.categoriesOf(id));
    const onState = (event: MatrixEvent) => {
      if (!event.getType().startsWith("m.space.")) return;
      this.renew();
    };
    client.on(RoomStateEvent.Events, onState);
    const unwatch = this.rooms.lists.watch("joined", () => this.renew());
    this.rooms.lists.read("joined");
    onClose(() => {
      client.off(RoomStateEvent.Events, onState);
      unwatch();
    });
  }

  private renew(): void {
    this.servers.invalidateAll();
    this.categories.invalidateAll();
  }

  private joinedSpaces(): Room[] {
    return this.context.client
      .getRooms()
      .filter((room) => room.isSpaceRoom() && room.getMyMembership() === "join");
  }

  private topLevel(): readonly RoomId[] {
    const spaces = this.joinedSpaces();
    const below = new Set(spaces.flatMap((space) => childrenOf(space)));
    return spaces.filter(({ roomId }) => !below.has(roomId)).map(({ roomId }) => asRoomId(roomId));
  }

  private categoriesOf(id: RoomId): readonly Category[] {
    const space = this.context.client.getRoom(id);
    if (!space) return [];
    const own: RoomId[] = [];
    const categories: Category[] = [];
    for (const child of childrenOf(space)) {
      const room = this.context.client.getRoom(child);
      if (room?.getMyMembership() !== "join") continue;
      if (!room.isSpaceRoom()) own.push(asRoomId(child));
      else categories.push({ id: asRoomId(child), channels: this.channelsBelow(room) });
    }
    return [{ id: undefined, channels: own }, ...categories];
  }

  private channelsBelow(space: Room): RoomId[] {
    const channels = childrenOf(space).map((child) => this.context.client.getRoom(child));
    return channels
      .filter((room) => room?.getMyMembership() === "join" && !room.isSpaceRoom())
      .map((room) => asRoomId(room?.roomId ?? ""));
  }
}

/** A space's children by `order`, then age, then ID (CS API § Ordering of children within a space). */
function childrenOf(space: Room): string[] {
  return space.currentState
    .getStateEvents("m.space.child")
    .filter((event) => Array.isArray(event.getContent().via))
    .map((event) => ({ id: event.getStateKey() ?? "", order: orderOf(event), ts: event.getTs() }))
    .sort((a, b) => compare(a.order, b.order) || a.ts - b.ts || compare(a.id, b.id))
    .map(({ id }) => id);
}

/** Without a valid order, after all that have one. */
function orderOf(event: MatrixEvent): string {
  const { order } = event.getContent();
  return typeof order === "string" && /^[\x20-\x7e]{1,50}$/.test(order) ? order : "\x7f";
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
