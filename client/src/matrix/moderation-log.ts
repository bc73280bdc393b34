import { asEventId, asRoomId, asUserId, type EventId, type RoomId, type UserId } from "./ids";

type ModerationAct = "kick" | "ban" | "unban" | "delete" | "role" | "acl";

/** One act of moderation, as the room's history tells it. */
export interface LogEntry {
  readonly id: EventId;
  readonly roomId: RoomId;
  readonly ts: number;
  readonly act: ModerationAct;
  readonly actor: UserId;
  /** Whom it was done to; `undefined` for a deletion whose author is not known any more, and for server rules. */
  readonly target: UserId | undefined;
  readonly reason: string;
  /** Of a change of role. */
  readonly levels: { readonly before: number; readonly after: number } | undefined;
}

/** An event as `/messages` gives it, already checked to have these. */
export interface RawEvent {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly state_key?: string | undefined;
  readonly content: Record<string, unknown>;
  readonly prevContent: Record<string, unknown>;
}

export const LOGGED_TYPES = [
  "m.room.member",
  "m.room.redaction",
  "m.room.power_levels",
  "m.room.server_acl",
] as const;

/** What moderators did in an event: nothing if it is everyday business, several if several roles changed at once. */
export function readActs(roomId: string, event: RawEvent): readonly LogEntry[] {
  const entry = (
    act: ModerationAct,
    target: string | undefined,
    levels?: { before: number; after: number },
  ): LogEntry => ({
    id: asEventId(event.event_id),
    roomId: asRoomId(roomId),
    ts: event.origin_server_ts,
    act,
    actor: asUserId(event.sender),
    target: target === undefined ? undefined : asUserId(target),
    reason: typeof event.content.reason === "string" ? event.content.reason : "",
    levels,
  });
  switch (event.type) {
    case "m.room.member": {
      const act = membershipAct(event);
      return act ? [entry(act, event.state_key)] : [];
    }
    case "m.room.redaction":
      return [entry("delete", undefined)];
    case "m.room.power_levels":
      return changedRoles(event).map(({ userId, ...levels }) => entry("role", userId, levels));
    case "m.room.server_acl":
      return [entry("acl", undefined)];
    default:
      return [];
  }
}

function membershipAct({ sender, state_key, content, prevContent }: RawEvent): ModerationAct | undefined {
  if (sender === state_key) return undefined;
  if (content.membership === "ban") return prevContent.membership === "ban" ? undefined : "ban";
  if (content.membership !== "leave") return undefined;
  return prevContent.membership === "ban" ? "unban" : "kick";
}

function changedRoles({ content, prevContent }: RawEvent) {
  // The first levels of a room are no change of anybody's.
  if (Object.keys(prevContent).length === 0) return [];
  const [before, after] = [usersOf(prevContent), usersOf(content)];
  const [usual, usualAfter] = [defaultOf(prevContent), defaultOf(content)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((userId) => ({
      userId,
      before: before.get(userId) ?? usual,
      after: after.get(userId) ?? usualAfter,
    }))
    .filter(({ before, after }) => before !== after);
}

function usersOf(content: Record<string, unknown>): Map<string, number> {
  const users = typeof content.users === "object" && content.users !== null ? content.users : {};
  return new Map(
    Object.entries(users).filter((pair): pair is [string, number] => typeof pair[1] === "number"),
  );
}

const defaultOf = (content: Record<string, unknown>) =>
  typeof content.users_default === "number" ? content.users_default : 0;
