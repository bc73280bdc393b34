import {
  EventType,
  type MatrixEvent,
  Method,
  type Room,
  RoomStateEvent,
  Visibility,
} from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId, serverOf } from "./ids";
import type { RoomAccess } from "./rooms";
import { DerivedSlice } from "./slice";

export type HistoryVisibility = "world_readable" | "shared" | "invited" | "joined";

/** What a room's settings show, beside its summary. */
interface RoomDetails {
  readonly access: RoomAccess;
  /** Rooms whose members may join, where access is restricted. */
  readonly allowed: readonly RoomId[];
  readonly history: HistoryVisibility;
  readonly isEncrypted: boolean;
  readonly mainAddress: string | undefined;
  readonly otherAddresses: readonly string[];
  /** Servers that may and may not take part; `undefined` if the room does not say. */
  readonly partners: { readonly allow: readonly string[]; readonly deny: readonly string[] } | undefined;
  readonly version: string;
}

const SHOWN = new Set([
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.encryption",
  "m.room.canonical_alias",
  "m.room.server_acl",
]);
const HISTORIES: readonly HistoryVisibility[] = ["world_readable", "shared", "invited", "joined"];

/** Reading and changing what a room is. */
export class RoomSettings {
  readonly details: DerivedSlice<RoomDetails, RoomId>;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.details = new DerivedSlice(changes, (id) => read(client.getRoom(id)), isSame);
    const onState = (event: MatrixEvent) => {
      if (SHOWN.has(event.getType())) this.details.invalidate(asRoomId(event.getRoomId() ?? ""));
    };
    client.on(RoomStateEvent.Events, onState);
    onClose(() => client.off(RoomStateEvent.Events, onState));
  }

  setName(roomId: RoomId, name: string): Promise<unknown> {
    return this.send(roomId, "m.room.name", { name: name.trim() });
  }

  setTopic(roomId: RoomId, topic: string): Promise<unknown> {
    const text = topic.trim();
    return this.send(roomId, "m.room.topic", {
      topic: text,
      "m.topic": { "m.text": [{ body: text, mimetype: "text/plain" }] },
    });
  }

  /** Uploads a picture and makes it the room's; `undefined` takes it away. */
  async setPicture(roomId: RoomId, file: File | undefined): Promise<void> {
    if (!file) return void (await this.send(roomId, "m.room.avatar", {}));
    const { content_uri: url } = await this.context.client.uploadContent(file, { type: file.type });
    await this.send(roomId, "m.room.avatar", { url, info: { mimetype: file.type, size: file.size } });
  }

  /** Who may join; `restricted` is for the members of `serverId`. */
  setAccess(roomId: RoomId, access: RoomAccess, serverId: RoomId | undefined): Promise<unknown> {
    if (access !== "restricted") return this.send(roomId, "m.room.join_rules", { join_rule: access });
    const before = this.details.peek(roomId).allowed;
    const allowed = before.length > 0 ? before : serverId ? [serverId] : [];
    return this.send(roomId, "m.room.join_rules", {
      join_rule: "restricted",
      allow: allowed.map((id) => ({ type: "m.room_membership", room_id: id })),
    });
  }

  setHistory(roomId: RoomId, history: HistoryVisibility): Promise<unknown> {
    return this.send(roomId, "m.room.history_visibility", { history_visibility: history });
  }

  /** Cannot be taken back. */
  encrypt(roomId: RoomId): Promise<unknown> {
    return this.send(roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  }

  /** Whether the room is listed in our server's directory. */
  async isListed(roomId: RoomId): Promise<boolean> {
    return (await this.context.client.getRoomDirectoryVisibility(roomId)).visibility === Visibility.Public;
  }

  async setListed(roomId: RoomId, isListed: boolean): Promise<void> {
    const visibility = isListed ? Visibility.Public : Visibility.Private;
    await this.context.client.setRoomDirectoryVisibility(roomId, visibility);
  }

  /** The full address for what somebody typed: `#name:server` of our own server. */
  addressOf(name: string): string {
    const local = name.trim().replace(/^#/, "").split(":")[0] ?? "";
    return `#${local.toLowerCase().replace(/\s+/g, "-")}:${serverOf(this.context.client.getSafeUserId())}`;
  }

  /** Gives the room an address; its first one becomes the main one. */
  async addAddress(roomId: RoomId, address: string): Promise<void> {
    await this.context.client.createAlias(address, roomId);
    const { mainAddress, otherAddresses } = this.details.peek(roomId);
    await this.setAddresses(
      roomId,
      mainAddress ?? address,
      mainAddress ? [...otherAddresses, address] : otherAddresses,
    );
  }

  async removeAddress(roomId: RoomId, address: string): Promise<void> {
    const { mainAddress, otherAddresses } = this.details.peek(roomId);
    const others = otherAddresses.filter((other) => other !== address);
    const main = mainAddress === address ? others[0] : mainAddress;
    await this.setAddresses(
      roomId,
      main,
      others.filter((other) => other !== main),
    );
    // Addresses of other servers, and those that are gone, are only taken off the list.
    await this.context.client.deleteAlias(address).catch(() => {});
  }

  async makeMain(roomId: RoomId, address: string): Promise<void> {
    const { mainAddress, otherAddresses } = this.details.peek(roomId);
    const others = [mainAddress, ...otherAddresses].filter(
      (other) => other !== undefined && other !== address,
    );
    await this.setAddresses(roomId, address, others as string[]);
  }

  /** Why an address cannot be had: it names a room already. */
  async isTaken(address: string): Promise<boolean> {
    const path = `/directory/room/${encodeURIComponent(address)}`;
    return this.context.client.http.authedRequest(Method.Get, path).then(
      () => true,
      () => false,
    );
  }

  private setAddresses(
    roomId: RoomId,
    main: string | undefined,
    others: readonly string[],
  ): Promise<unknown> {
    return this.send(roomId, EventType.RoomCanonicalAlias, {
      ...(main ? { alias: main } : {}),
      alt_aliases: others,
    });
  }

  private async send(roomId: RoomId, type: string, content: object): Promise<void> {
    // The SDK types only the events it knows.
    await this.context.client.sendStateEvent(roomId, type as never, content as never, "");
  }
}

function read(room: Room | null): RoomDetails {
  const content = (type: string): Record<string, unknown> =>
    room?.currentState.getStateEvents(type, "")?.getContent() ?? {};
  const rule = content("m.room.join_rules");
  const aliases = content("m.room.canonical_alias");
  const history = content("m.room.history_visibility").history_visibility;
  const acl = content("m.room.server_acl");
  return {
    access: accessOf(rule.join_rule),
    allowed: list(rule.allow).flatMap((entry) => {
      const id =
        typeof entry === "object" && entry !== null && "room_id" in entry ? entry.room_id : undefined;
      return typeof id === "string" ? [asRoomId(id)] : [];
    }),
    history: HISTORIES.find((known) => known === history) ?? "shared",
    isEncrypted: room?.hasEncryptionStateEvent() ?? false,
    mainAddress: typeof aliases.alias === "string" ? aliases.alias : undefined,
    otherAddresses: texts(aliases.alt_aliases),
    partners: Array.isArray(acl.allow) ? { allow: texts(acl.allow), deny: texts(acl.deny) } : undefined,
    version: room?.getVersion() ?? "",
  };
}

function accessOf(rule: unknown): RoomAccess {
  if (rule === "knock_restricted") return "restricted";
  return rule === "public" || rule === "restricted" || rule === "knock" ? rule : "invite";
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): readonly string[] => list(value).filter((entry) => typeof entry === "string");

/** Small and flat enough to compare as text. */
const isSame = (a: RoomDetails, b: RoomDetails) => JSON.stringify(a) === JSON.stringify(b);
