import { Preset, Visibility } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId, serverOf } from "./ids";
import { VOICE_ROOM_TYPE } from "./rooms";
import type { Spaces } from "./spaces";

export type ChannelKind = "text" | "announcement" | "voice";

export interface ChannelDraft {
  readonly kind: ChannelKind;
  readonly name: string;
  readonly topic?: string;
  /** Only for who is invited; otherwise everybody in the server may join. */
  readonly isPrivate: boolean;
  readonly isEncrypted?: boolean;
}

interface StateEvent {
  type: string;
  state_key?: string;
  content: object;
}

/** Making servers, categories and channels. */
export class Creation {
  constructor(
    private readonly context: SessionContext,
    private readonly spaces: Spaces,
  ) {}

  /** A server with its first channels. */
  async server(draft: {
    name: string;
    topic?: string;
    isPublic: boolean;
    channels: readonly ChannelDraft[];
  }): Promise<RoomId> {
    const serverId = await this.create({
      name: draft.name,
      ...(draft.topic ? { topic: draft.topic } : {}),
      preset: draft.isPublic ? Preset.PublicChat : Preset.PrivateChat,
      visibility: Visibility.Private,
      creation_content: { type: "m.space" },
      // A space holds no talk: only who runs it writes into it.
      power_level_content_override: { events_default: 100, invite: draft.isPublic ? 0 : 50 },
      initial_state: [historyFor(draft.isPublic)],
    });
    // Who may list rooms is the server's policy; one that is not listed is joined by its address or link.
    if (draft.isPublic)
      await this.context.client.setRoomDirectoryVisibility(serverId, Visibility.Public).catch(() => {});
    for (const channel of draft.channels) await this.channel(serverId, serverId, channel);
    return serverId;
  }

  /** A category of a server. */
  async category(serverId: RoomId, name: string): Promise<RoomId> {
    const id = await this.create({
      name,
      preset: Preset.PrivateChat,
      visibility: Visibility.Private,
      creation_content: { type: "m.space" },
      power_level_content_override: { events_default: 100 },
      initial_state: [restrictedTo(serverId), historyFor(false), parentState(serverId, this.ownServer)],
    });
    await this.putInto(serverId, id, { isSuggested: true });
    return id;
  }

  /** A channel of a server, in the server itself or in one of its categories. */
  async channel(serverId: RoomId, parentId: RoomId, draft: ChannelDraft): Promise<RoomId> {
    const state: StateEvent[] = [historyFor(false), parentState(parentId, this.ownServer)];
    if (!draft.isPrivate) state.push(restrictedTo(serverId));
    if (draft.isEncrypted)
      state.push({
        type: "m.room.encryption",
        state_key: "",
        content: { algorithm: "m.megolm.v1.aes-sha2" },
      });
    const id = await this.create({
      name: draft.name,
      ...(draft.topic ? { topic: draft.topic } : {}),
      preset: Preset.PrivateChat,
      visibility: Visibility.Private,
      ...(draft.kind === "voice" ? { creation_content: { type: VOICE_ROOM_TYPE } } : {}),
      power_level_content_override: levelsFor(draft.kind),
      initial_state: state,
    });
    await this.putInto(parentId, id, { isSuggested: !draft.isPrivate });
    return id;
  }

  /** Puts an existing room into a server or category. */
  async putInto(spaceId: RoomId, child: RoomId, { isSuggested = false } = {}): Promise<void> {
    const content = {
      via: [this.ownServer],
      order: this.nextOrder(spaceId),
      ...(isSuggested ? { suggested: true } : {}),
    };
    await this.context.client.sendStateEvent(spaceId, "m.space.child" as never, content as never, child);
  }

  /** Orders given out by this device, before sync brings them back. */
  private readonly given = new Map<RoomId, number>();

  private nextOrder(spaceId: RoomId): string {
    const next = Math.max(Number(this.spaces.orderAtEnd(spaceId)), (this.given.get(spaceId) ?? 0) + 10);
    this.given.set(spaceId, next);
    return String(next).padStart(4, "0");
  }

  private get ownServer(): string {
    return serverOf(this.context.client.getSafeUserId());
  }

  private async create(options: Parameters<typeof this.context.client.createRoom>[0]): Promise<RoomId> {
    const { room_id } = await this.context.client.createRoom(options);
    return asRoomId(room_id);
  }
}

/** Without `events` of our own, the server lets everybody take part in calls and react (docs/call-events.md). */
const levelsFor = (kind: ChannelKind): object => (kind === "announcement" ? { events_default: 50 } : {});

/** Everybody in the server may join (CS API § Restricted rooms). */
const restrictedTo = (serverId: RoomId): StateEvent => ({
  type: "m.room.join_rules",
  state_key: "",
  content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: serverId }] },
});

const historyFor = (isPublic: boolean): StateEvent => ({
  type: "m.room.history_visibility",
  state_key: "",
  content: { history_visibility: isPublic ? "world_readable" : "shared" },
});

const parentState = (parentId: RoomId, server: string): StateEvent => ({
  type: "m.space.parent",
  state_key: parentId,
  content: { via: [server], canonical: true },
});
