import { type MatrixEvent, type Room, RoomStateEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, type UserId } from "./ids";
import {
  isAbove,
  mayGiveLevel,
  NO_PERMISSIONS,
  type PowerLevels,
  permissionsOf,
  ROLE_NAMES_TYPE,
  type Role,
  type RoomPermissions,
  readPowerLevels,
  rolesOf,
} from "./power-levels";
import { DerivedSlice } from "./slice";

const DECISIVE = new Set(["m.room.power_levels", "m.room.create", "m.room.member", ROLE_NAMES_TYPE]);

/** Acts that need a level and are no event of their own. */
export type Requirement = "invite" | "kick" | "ban" | "redact" | "events_default" | "state_default";

/** What this account may do in each room, and the roles there are. */
export class Permissions {
  readonly rooms: DerivedSlice<RoomPermissions, RoomId>;
  readonly roles: DerivedSlice<readonly Role[], RoomId>;
  private readonly me: UserId;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.me = asUserId(client.getSafeUserId());
    this.rooms = new DerivedSlice(changes, (id) => this.derive(client.getRoom(id)));
    this.roles = new DerivedSlice(changes, (id) => this.rolesIn(client.getRoom(id)), isSameRoles);
    const onState = (event: MatrixEvent) => {
      const type = event.getType();
      if (!DECISIVE.has(type) || (type === "m.room.member" && event.getStateKey() !== this.me)) return;
      const roomId = asRoomId(event.getRoomId() ?? "");
      this.rooms.invalidate(roomId);
      this.roles.invalidate(roomId);
    };
    client.on(RoomStateEvent.Events, onState);
    onClose(() => client.off(RoomStateEvent.Events, onState));
  }

  /** What this account may do now; views watch `rooms` instead. */
  can(roomId: RoomId): RoomPermissions {
    return this.rooms.peek(roomId);
  }

  /** Whether this account may kick or ban that person, as far as their levels decide. */
  isAbove(roomId: RoomId, target: UserId): boolean {
    const levels = this.levels(this.context.client.getRoom(roomId));
    return levels !== undefined && isAbove(levels, this.me, target);
  }

  /** Whether this account may give that person this level. */
  mayGiveLevel(roomId: RoomId, target: UserId, level: number): boolean {
    const levels = this.levels(this.context.client.getRoom(roomId));
    return levels !== undefined && mayGiveLevel(levels, this.me, target, level);
  }

  /** Whether nobody else in the room may give out roles: who leaves last leaves it without a keeper. */
  isOnlyKeeper(roomId: RoomId): boolean {
    const room = this.context.client.getRoom(roomId);
    const levels = this.levels(room);
    if (!room || !levels) return false;
    const keepers = [...levels.creators, ...levels.users.keys()].filter(
      (userId) =>
        permissionsOf(levels, asUserId(userId)).changeRoles && room.getMember(userId)?.membership === "join",
    );
    return keepers.every((userId) => userId === this.me);
  }

  /** Gives that person a role: their level in the room's `m.room.power_levels`. */
  async setLevel(roomId: RoomId, target: UserId, level: number): Promise<void> {
    const before = this.content(roomId, "m.room.power_levels");
    const users = { ...(before.users as Record<string, number> | undefined) };
    if (level === Number(before.users_default ?? 0)) delete users[target];
    else users[target] = level;
    await this.send(roomId, "m.room.power_levels", { ...before, users });
  }

  /** Changes which level single acts need: `{ invite: 50 }`, and events by their type. */
  async setRequirements(
    roomId: RoomId,
    change: Partial<Record<Requirement, number>>,
    events: Readonly<Record<string, number>> = {},
  ): Promise<void> {
    const before = this.content(roomId, "m.room.power_levels");
    const merged = { ...(before.events as Record<string, number> | undefined), ...events };
    await this.send(roomId, "m.room.power_levels", { ...before, ...change, events: merged });
  }

  /** Names a level of this room; an empty name takes it away. */
  async nameRole(roomId: RoomId, level: number, name: string): Promise<void> {
    const before = this.content(roomId, ROLE_NAMES_TYPE);
    const names = { ...(before.names as Record<string, string> | undefined) };
    if (name.trim() === "") delete names[level];
    else names[level] = name.trim();
    await this.send(roomId, ROLE_NAMES_TYPE, { ...before, names });
  }

  /** The whole of the room's levels, for its settings. */
  levelsOf(roomId: RoomId): PowerLevels | undefined {
    return this.levels(this.context.client.getRoom(roomId));
  }

  private content(roomId: RoomId, type: string): Record<string, unknown> {
    const state = this.context.client.getRoom(roomId)?.currentState;
    return state?.getStateEvents(type, "")?.getContent() ?? {};
  }

  private async send(roomId: RoomId, type: string, content: object): Promise<void> {
    // The SDK types only the events it knows.
    await this.context.client.sendStateEvent(roomId, type as never, content as never, "");
  }

  private derive(room: Room | null): RoomPermissions {
    const levels = this.levels(room);
    if (!levels || room?.getMyMembership() !== "join") return NO_PERMISSIONS;
    return permissionsOf(levels, this.me);
  }

  private rolesIn(room: Room | null): readonly Role[] {
    const levels = this.levels(room);
    const names = room?.currentState.getStateEvents(ROLE_NAMES_TYPE, "")?.getContent();
    return levels ? rolesOf(levels, names) : [];
  }

  private levels(room: Room | null): PowerLevels | undefined {
    if (!room) return undefined;
    const create = room.currentState.getStateEvents("m.room.create", "");
    const creation = create && {
      sender: create.getSender() ?? "",
      version: room.getVersion(),
      additionalCreators: create.getContent().additional_creators,
    };
    return readPowerLevels(
      creation ?? undefined,
      room.currentState.getStateEvents("m.room.power_levels", "")?.getContent(),
    );
  }
}

function isSameRoles(a: readonly Role[], b: readonly Role[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ level, name }, index) => level === b[index]?.level && name === b[index]?.name)
  );
}
