import { ClientEvent, type MatrixEvent, type Room, RoomStateEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId } from "./ids";
import type { Rooms } from "./rooms";
import { DerivedSlice } from "./slice";
import { type Child, inOwnOrder, movedChild, sortChildren } from "./space-order";

/** A heading in the channel list with its rooms, in order. The one without a space holds a server's own channels. */
export interface Category {
  readonly id: RoomId | undefined;
  /** With the names of the categories above it, where it lies deeper. */
  readonly name: string;
  readonly channels: readonly RoomId[];
}

/** Where everything lies: derived once for all who ask. */
interface Places {
  /** In no order of anybody's. */
  readonly servers: readonly RoomId[];
  /** Of servers (themselves), categories and channels that this account is in. */
  readonly serverOf: ReadonlyMap<RoomId, RoomId>;
}

const SERVER_ORDER = "org.echorift.server_order";
/** Categories in categories further down than this are not looked for: spaces may contain each other. */
const DEPTH_MAX = 5;

/** Servers (top-level spaces) and what is in them (CS API § Spaces). */
export class Spaces {
  /** One key, `"servers"`: the joined spaces that are in no other joined space, as this person ordered them. */
  readonly servers: DerivedSlice<readonly RoomId[]>;
  readonly categories: DerivedSlice<readonly Category[], RoomId>;
  /** The server that a room is in; `undefined` for those in none. */
  readonly serverOf: DerivedSlice<{ serverId: RoomId | undefined }, RoomId>;
  /** Until a space changes. */
  private known: Places | undefined;
  private readonly children = new Map<string, readonly Child[]>();

  constructor(
    private readonly context: SessionContext,
    private readonly rooms: Rooms,
  ) {
    const { client, changes, onClose } = context;
    this.servers = new DerivedSlice(changes, () => inOwnOrder(this.places().servers, this.ownOrder()));
    this.categories = new DerivedSlice(changes, (id) => this.categoriesOf(id), isSameCategories);
    this.serverOf = new DerivedSlice(changes, (id) => ({ serverId: this.places().serverOf.get(id) }));
    const onState = (event: MatrixEvent) => {
      const [type, roomId] = [event.getType(), event.getRoomId() ?? ""];
      if (type.startsWith("m.space.")) {
        this.children.delete(roomId);
        this.renew();
      } else if (type === "m.room.name" && client.getRoom(roomId)?.isSpaceRoom()) {
        this.categories.invalidateAll();
      }
    };
    const onAccountData = (event: MatrixEvent) => {
      if (event.getType() === SERVER_ORDER) this.servers.invalidateAll();
    };
    client.on(RoomStateEvent.Events, onState);
    client.on(ClientEvent.AccountData, onAccountData);
    this.rooms.isInServer = (id) => this.places().serverOf.has(id);
    const unwatch = this.rooms.lists.watch("joined", () => this.renew());
    this.rooms.lists.read("joined");
    onClose(() => {
      client.off(RoomStateEvent.Events, onState);
      client.off(ClientEvent.AccountData, onAccountData);
      unwatch();
    });
  }

  /** Every joined channel below a server, once. */
  roomsBelow(id: RoomId): readonly RoomId[] {
    return [...new Set(this.categories.read(id).flatMap(({ channels }) => channels))];
  }

  /** The space whose child a channel is below this server: the one that its order lies in. */
  parentOf(serverId: RoomId, channel: RoomId): RoomId {
    const category = this.categories.peek(serverId).find(({ channels }) => channels.includes(channel));
    return category?.id ?? serverId;
  }

  /** Puts a server at another place of the rail, on every device of this account. */
  async moveServer(id: RoomId, to: number): Promise<void> {
    const order = this.servers.peek("servers").filter((other) => other !== id);
    order.splice(Math.max(0, Math.min(to, order.length)), 0, id);
    await this.context.client.setAccountData(SERVER_ORDER as never, { order } as never);
  }

  /** Moves a channel or category one place up (-1) or down (+1) among the children of its space, for everybody. */
  async moveChild(spaceId: RoomId, child: RoomId, by: -1 | 1): Promise<void> {
    const space = this.context.client.getRoom(spaceId);
    if (!space) return;
    const isShown = (id: string) => this.context.client.getRoom(id)?.getMyMembership() === "join";
    const isSpace = this.context.client.getRoom(child)?.isSpaceRoom() === true;
    const isAlike = (id: string) => isShown(id) && this.context.client.getRoom(id)?.isSpaceRoom() === isSpace;
    for (const { id, order } of movedChild(this.childrenOf(space), child, by, isAlike)) {
      const content = space.currentState.getStateEvents("m.space.child", id)?.getContent() ?? {};
      await this.context.client.sendStateEvent(
        spaceId,
        "m.space.child" as never,
        { ...content, order } as never,
        id,
      );
    }
  }

  /** Where a new child goes: after all there are. */
  orderAtEnd(spaceId: RoomId): string {
    const space = this.context.client.getRoom(spaceId);
    const last = space ? this.childrenOf(space).at(-1) : undefined;
    const number = Number.parseInt(last?.order ?? "0", 10);
    return String((Number.isFinite(number) ? number : 0) + 10).padStart(4, "0");
  }

  /** What follows from it is derived when it is asked for: a sync answer may change one space many times. */
  private renew(): void {
    this.known = undefined;
    this.servers.invalidateAll();
    this.categories.invalidateAll();
    this.serverOf.invalidateAll();
    this.rooms.placesChanged();
  }

  private places(): Places {
    if (this.known) return this.known;
    const servers = this.topLevel();
    const serverOf = new Map<RoomId, RoomId>();
    const put = (id: RoomId | undefined, server: RoomId) => {
      if (id !== undefined && !serverOf.has(id)) serverOf.set(id, server);
    };
    for (const server of servers) put(server, server);
    for (const server of servers) {
      for (const { id, channels } of this.categoriesOf(server)) {
        put(id, server);
        for (const channel of channels) put(channel, server);
      }
    }
    this.known = { servers, serverOf };
    return this.known;
  }

  private joinedSpaces(): Room[] {
    return this.context.client
      .getRooms()
      .filter((room) => room.isSpaceRoom() && room.getMyMembership() === "join");
  }

  private topLevel(): readonly RoomId[] {
    const spaces = this.joinedSpaces();
    const below = new Set(spaces.flatMap((space) => this.childrenOf(space).map(({ id }) => id)));
    return spaces.filter(({ roomId }) => !below.has(roomId)).map(({ roomId }) => asRoomId(roomId));
  }

  private ownOrder(): unknown {
    return this.context.client.getAccountData(SERVER_ORDER as never)?.getContent<{ order?: unknown }>().order;
  }

  private categoriesOf(id: RoomId): readonly Category[] {
    const space = this.context.client.getRoom(id);
    if (!space) return [];
    const categories: Category[] = [];
    this.collect(space, { id: undefined, name: "" }, new Set([space.roomId]), categories);
    return categories;
  }

  /** The channels of one space as a category, and after it those of the spaces in it, flattened with a path. */
  private collect(
    space: Room,
    heading: Pick<Category, "id" | "name">,
    seen: Set<string>,
    into: Category[],
    depth = 0,
  ): void {
    const children = this.childrenOf(space)
      .map(({ id }) => this.context.client.getRoom(id))
      .filter((room) => room?.getMyMembership() === "join");
    const channels = children.filter((room) => room && !room.isSpaceRoom());
    into.push({ ...heading, channels: channels.map((room) => asRoomId(room?.roomId ?? "")) });
    if (depth >= DEPTH_MAX) return;
    for (const child of children) {
      if (!child?.isSpaceRoom() || seen.has(child.roomId)) continue;
      seen.add(child.roomId);
      const name = heading.id ? `${heading.name} / ${child.name}` : child.name;
      this.collect(child, { id: asRoomId(child.roomId), name }, seen, into, depth + 1);
    }
  }

  private childrenOf(space: Room): readonly Child[] {
    const known = this.children.get(space.roomId);
    if (known) return known;
    const children = sortChildren(
      space.currentState.getStateEvents("m.space.child").map((event) => ({
        id: event.getStateKey() ?? "",
        content: event.getContent(),
        ts: event.getTs(),
      })),
    );
    this.children.set(space.roomId, children);
    return children;
  }
}

function isSameCategories(a: readonly Category[], b: readonly Category[]): boolean {
  return (
    a.length === b.length &&
    a.every((category, index) => {
      const other = b[index];
      return (
        category.id === other?.id &&
        category.name === other?.name &&
        category.channels.length === other.channels.length &&
        category.channels.every((id, place) => id === other.channels[place])
      );
    })
  );
}
