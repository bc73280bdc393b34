import {
  ClientEvent,
  type MatrixEvent,
  type Room,
  RoomEvent,
  RoomStateEvent,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, serverOf, type UserId } from "./ids";
import { DerivedSlice } from "./slice";

/** Rooms of this type are voice channels (MSC3417). */
export const VOICE_ROOM_TYPE = "org.matrix.msc3417.call";

export type RoomAccess = "public" | "restricted" | "knock" | "invite";

type RoomKind = "text" | "announcement" | "voice" | "direct" | "space";

/** What lists and headers show of a room. */
export interface RoomSummary {
  readonly id: RoomId;
  readonly name: string;
  readonly topic: string;
  readonly avatarMxc: string | undefined;
  readonly kind: RoomKind;
  readonly membership: "join" | "invite" | "knock" | "leave" | "ban";
  readonly isEncrypted: boolean;
  readonly isPublic: boolean;
  /** How one gets in; `restricted` is for members of its server. */
  readonly access: RoomAccess;
  readonly joinedCount: number;
  /** In a direct message, the other one. */
  readonly directWith: UserId | undefined;
  /** The server that made the room, if it is another than ours. */
  readonly partnerServer: string | undefined;
  /** When something was last said, ms since the epoch; 0 if nothing was. */
  readonly lastTs: number;
}

/** Which rooms there are: one key for each list. */
type RoomList = "joined" | "invited" | "knocked" | "direct" | "outside";

const LISTS: readonly RoomList[] = ["joined", "invited", "knocked", "direct", "outside"];

export class Rooms {
  /** One room; `undefined` if this account does not know it. */
  readonly summaries: DerivedSlice<{ room: RoomSummary | undefined }, RoomId>;
  /** `direct`: by last message; `outside`: joined, in no server and no direct message. */
  readonly lists: DerivedSlice<readonly RoomId[], RoomList>;
  private directs = new Map<string, UserId>();
  /** Told by `Spaces`: whether a room is in some server. */
  isInServer: (id: RoomId) => boolean = () => false;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.summaries = new DerivedSlice(
      changes,
      (id) => ({ room: this.summarize(client.getRoom(id)) }),
      (a, b) => isSameRoom(a.room, b.room),
    );
    this.lists = new DerivedSlice(changes, (list) => this.list(list));
    this.readDirects();
    const touch = (roomId: string | undefined) => {
      if (roomId) this.summaries.invalidate(asRoomId(roomId));
    };
    const onRoom = (room: Room) => {
      touch(room.roomId);
      for (const list of LISTS) this.lists.invalidate(list);
    };
    const onState = (event: MatrixEvent) => touch(event.getRoomId());
    const onTimeline = (_event: MatrixEvent, room: Room | undefined) => {
      touch(room?.roomId);
      // The last message moves it up.
      if (room && this.directs.has(room.roomId)) this.lists.invalidate("direct");
    };
    const onAccountData = (event: MatrixEvent) => {
      if (event.getType() !== "m.direct") return;
      this.readDirects();
      this.summaries.invalidateAll();
      this.lists.invalidateAll();
    };
    client.on(ClientEvent.Room, onRoom);
    client.on(RoomEvent.MyMembership, onRoom);
    client.on(RoomEvent.Name, onRoom);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(RoomStateEvent.Events, onState);
    client.on(ClientEvent.AccountData, onAccountData);
    onClose(() => {
      client.off(ClientEvent.Room, onRoom);
      client.off(RoomEvent.MyMembership, onRoom);
      client.off(RoomEvent.Name, onRoom);
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(RoomStateEvent.Events, onState);
      client.off(ClientEvent.AccountData, onAccountData);
    });
  }

  summary(id: RoomId): RoomSummary | undefined {
    return this.summaries.read(id).room;
  }

  /** Direct messages and rooms in no server: what is listed where no server is. */
  outside(): readonly RoomId[] {
    return [...this.lists.read("direct"), ...this.lists.read("outside")];
  }

  /** Told by `Spaces`: other rooms may be in servers than before. */
  placesChanged(): void {
    this.lists.invalidate("outside");
  }

  private list(list: RoomList): readonly RoomId[] {
    const wanted = list === "invited" ? "invite" : list === "knocked" ? "knock" : "join";
    const rooms = this.context.client.getRooms().filter((room) => room.getMyMembership() === wanted);
    if (list === "direct") {
      const directs = rooms.filter(({ roomId }) => this.directs.has(roomId));
      return directs.sort((a, b) => lastTs(b) - lastTs(a)).map(({ roomId }) => asRoomId(roomId));
    }
    const isOutside = (room: Room) =>
      !room.isSpaceRoom() && !this.directs.has(room.roomId) && !this.isInServer(asRoomId(room.roomId));
    return (list === "outside" ? rooms.filter(isOutside) : rooms).map(({ roomId }) => asRoomId(roomId));
  }

  private readDirects(): void {
    // Parsed by hand: other clients write it.
    const content: unknown = this.context.client.getAccountData("m.direct" as never)?.getContent() ?? {};
    this.directs = new Map();
    for (const [userId, rooms] of Object.entries(content as Record<string, unknown>)) {
      if (!Array.isArray(rooms)) continue;
      for (const roomId of rooms) if (typeof roomId === "string") this.directs.set(roomId, asUserId(userId));
    }
  }

  private summarize(room: Room | null): RoomSummary | undefined {
    if (!room) return undefined;
    const membership = room.getMyMembership();
    const directWith = this.directs.get(room.roomId);
    const creator = room.currentState.getStateEvents("m.room.create", "")?.getSender() ?? "";
    const server = serverOf(creator);
    return {
      id: asRoomId(room.roomId),
      name: room.name,
      topic: String(room.currentState.getStateEvents("m.room.topic", "")?.getContent().topic ?? ""),
      avatarMxc: room.getMxcAvatarUrl() ?? room.getAvatarFallbackMember()?.getMxcAvatarUrl() ?? undefined,
      kind: kindOf(room, directWith),
      membership: membership as RoomSummary["membership"],
      isEncrypted: room.hasEncryptionStateEvent(),
      isPublic: room.getJoinRule() === "public",
      access: accessOf(room.getJoinRule()),
      joinedCount: room.getJoinedMemberCount(),
      directWith,
      partnerServer: server && server !== serverOf(this.context.client.getSafeUserId()) ? server : undefined,
      lastTs: lastTs(room),
    };
  }
}

function accessOf(rule: string): RoomAccess {
  if (rule === "knock_restricted") return "restricted";
  return rule === "public" || rule === "restricted" || rule === "knock" ? rule : "invite";
}

const lastTs = (room: Room) => room.getLastLiveEvent()?.getTs() ?? 0;

function kindOf(room: Room, directWith: UserId | undefined): RoomKind {
  if (room.isSpaceRoom()) return "space";
  if (directWith) return "direct";
  if (room.getType() === VOICE_ROOM_TYPE) return "voice";
  const levels = room.currentState.getStateEvents("m.room.power_levels", "")?.getContent();
  return Number(levels?.events_default ?? 0) > Number(levels?.users_default ?? 0) ? "announcement" : "text";
}

function isSameRoom(a: RoomSummary | undefined, b: RoomSummary | undefined): boolean {
  if (!a || !b) return a === b;
  return (Object.keys(a) as (keyof RoomSummary)[]).every((key) => a[key] === b[key]);
}
