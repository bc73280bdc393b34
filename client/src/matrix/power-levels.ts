import type { UserId } from "./ids";

/** What `m.room.power_levels` and the room's creation say, with the defaults filled in (CS API § m.room.power_levels). */
export interface PowerLevels {
  /** Above everybody, since room version 12. */
  readonly creators: ReadonlySet<string>;
  readonly users: ReadonlyMap<string, number>;
  readonly usersDefault: number;
  readonly events: ReadonlyMap<string, number>;
  readonly eventsDefault: number;
  readonly stateDefault: number;
  readonly kick: number;
  readonly ban: number;
  readonly invite: number;
  readonly redact: number;
  readonly notifyRoom: number;
}

/** The room's creation, as far as it decides on power. */
interface Creation {
  readonly sender: string;
  readonly version: string;
  readonly additionalCreators: unknown;
}

/** What a person may do in a room. Views leave out what is false. */
export interface RoomPermissions {
  /** `Infinity` for creators since room version 12. */
  readonly level: number;
  readonly send: boolean;
  readonly react: boolean;
  readonly redactOwn: boolean;
  readonly redactOthers: boolean;
  readonly kick: boolean;
  readonly ban: boolean;
  readonly invite: boolean;
  readonly pin: boolean;
  readonly mentionRoom: boolean;
  readonly changeName: boolean;
  readonly changeTopic: boolean;
  readonly changeAvatar: boolean;
  readonly changeAccess: boolean;
  readonly changeHistory: boolean;
  readonly changeEncryption: boolean;
  readonly changeAddresses: boolean;
  readonly changeRoles: boolean;
  readonly changeRoleNames: boolean;
  /** In a server or category: add, order and remove channels. */
  readonly changeChannels: boolean;
  /** Webhooks; the server asks for the power over widgets (docs/webhooks.md). */
  readonly manageWebhooks: boolean;
}

export const ROLE_NAMES_TYPE = "org.echorift.role_names";

const FIRST_VERSION_WITH_OWNERS = 12;

/** Reads the levels of a room; `content` is `undefined` where the room has no such event. */
export function readPowerLevels(creation: Creation | undefined, content: unknown): PowerLevels {
  const given = isRecord(content) ? content : undefined;
  const hasOwners = creation !== undefined && versionHasOwners(creation.version);
  const creators = new Set<string>();
  if (creation && hasOwners) {
    creators.add(creation.sender);
    const more = Array.isArray(creation.additionalCreators) ? creation.additionalCreators : [];
    for (const one of more) if (typeof one === "string") creators.add(one);
  }
  const users = levelsIn(given?.users);
  if (!given && creation && !hasOwners) users.set(creation.sender, 100);
  const notifications = isRecord(given?.notifications) ? given.notifications : {};
  return {
    creators,
    users,
    usersDefault: levelIn(given?.users_default, 0),
    events: levelsIn(given?.events),
    eventsDefault: levelIn(given?.events_default, 0),
    stateDefault: levelIn(given?.state_default, given ? 50 : 0),
    kick: levelIn(given?.kick, 50),
    ban: levelIn(given?.ban, 50),
    invite: levelIn(given?.invite, 0),
    redact: levelIn(given?.redact, 50),
    notifyRoom: levelIn(notifications.room, 50),
  };
}

export function levelOf(levels: PowerLevels, userId: UserId): number {
  if (levels.creators.has(userId)) return Number.POSITIVE_INFINITY;
  return levels.users.get(userId) ?? levels.usersDefault;
}

/** What this person may do, if they are in the room. */
export function permissionsOf(levels: PowerLevels, userId: UserId): RoomPermissions {
  const level = levelOf(levels, userId);
  const message = (type: string) => level >= (levels.events.get(type) ?? levels.eventsDefault);
  const state = (type: string) => level >= (levels.events.get(type) ?? levels.stateDefault);
  return {
    level,
    send: message("m.room.message"),
    react: message("m.reaction"),
    redactOwn: message("m.room.redaction"),
    redactOthers: message("m.room.redaction") && level >= levels.redact,
    kick: level >= levels.kick,
    ban: level >= levels.ban,
    invite: level >= levels.invite,
    pin: state("m.room.pinned_events"),
    mentionRoom: level >= levels.notifyRoom,
    changeName: state("m.room.name"),
    changeTopic: state("m.room.topic"),
    changeAvatar: state("m.room.avatar"),
    changeAccess: state("m.room.join_rules"),
    changeHistory: state("m.room.history_visibility"),
    changeEncryption: state("m.room.encryption"),
    changeAddresses: state("m.room.canonical_alias"),
    changeRoles: state("m.room.power_levels"),
    changeRoleNames: state(ROLE_NAMES_TYPE),
    changeChannels: state("m.space.child"),
    manageWebhooks: state("im.vector.modular.widgets"),
  };
}

/** Nobody's rights: of a room that is not known. */
export const NO_PERMISSIONS: RoomPermissions = permissionsOf(
  { ...readPowerLevels(undefined, {}), eventsDefault: 1, stateDefault: 1, invite: 1, notifyRoom: 1 },
  "" as UserId,
);

/** Whether `by` may act against `target` (kick, ban): only those below oneself. */
export const isAbove = (levels: PowerLevels, by: UserId, target: UserId): boolean =>
  levelOf(levels, by) > levelOf(levels, target);

/** Whether `by` may give `target` the level `to` (room auth rules § m.room.power_levels). */
export function mayGiveLevel(levels: PowerLevels, by: UserId, target: UserId, to: number): boolean {
  if (!permissionsOf(levels, by).changeRoles || levels.creators.has(target)) return false;
  const own = levelOf(levels, by);
  const current = levelOf(levels, target);
  return to <= own && (current < own || by === target) && Number.isFinite(to);
}

type RoleKind = "owner" | "admin" | "moderator" | "member" | "custom";

/** A power level with a name. */
export interface Role {
  readonly kind: RoleKind;
  readonly level: number;
  /** The room's own name for it; kinds other than `custom` have a translated one. */
  readonly name: string | undefined;
}

/** The roles of a room, highest first: the usual ones, those that the room names, and levels that somebody has. */
export function rolesOf(levels: PowerLevels, namesContent: unknown): readonly Role[] {
  const names = readRoleNames(namesContent);
  const numbers = new Set([100, 50, levels.usersDefault, ...names.keys(), ...levels.users.values()]);
  const roles = [...numbers].map((level) => roleAt(level, levels.usersDefault, names));
  if (levels.creators.size > 0)
    roles.push({ kind: "owner", level: Number.POSITIVE_INFINITY, name: undefined });
  return roles.sort((a, b) => b.level - a.level);
}

/** The role that a level has among these: its own, or the nearest below it. */
export function roleFor(roles: readonly Role[], level: number): Role {
  return (
    roles.find((role) => role.level <= level) ?? roles.at(-1) ?? { kind: "member", level: 0, name: undefined }
  );
}

/** `{"names": {"75": "Release lead"}}` in the room's state; what is no level or no name is left out. */
function readRoleNames(content: unknown): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (!isRecord(content) || !isRecord(content.names)) return names;
  for (const [text, name] of Object.entries(content.names)) {
    const level = Number(text);
    if (Number.isSafeInteger(level) && typeof name === "string" && name.trim() !== "")
      names.set(level, name.trim().slice(0, ROLE_NAME_CHARACTERS_MAX));
  }
  return names;
}

const ROLE_NAME_CHARACTERS_MAX = 60;

function roleAt(level: number, memberLevel: number, names: ReadonlyMap<number, string>): Role {
  const name = names.get(level);
  if (level === 100) return { kind: "admin", level, name };
  if (level === 50) return { kind: "moderator", level, name };
  if (level === memberLevel) return { kind: "member", level, name };
  return { kind: "custom", level, name };
}

function versionHasOwners(version: string): boolean {
  const number = Number(version);
  return Number.isInteger(number)
    ? number >= FIRST_VERSION_WITH_OWNERS
    : version.startsWith("org.matrix.hydra.");
}

/** Old rooms hold numbers as text (CS API § m.room.power_levels, before room version 10). */
function levelIn(value: unknown, otherwise: number): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : otherwise;
}

function levelsIn(value: unknown): Map<string, number> {
  const levels = new Map<string, number>();
  if (!isRecord(value)) return levels;
  for (const [key, level] of Object.entries(value)) levels.set(key, levelIn(level, 0));
  return levels;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
