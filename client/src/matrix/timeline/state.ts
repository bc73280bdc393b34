import { asEventId, asRoomId, asUserId } from "../ids";
import type { StateChange } from "./types";

/** A state event as the room received it, with what it replaced. */
interface StateFacts {
  readonly eventId: string;
  readonly type: string;
  readonly stateKey: string;
  readonly sender: string;
  readonly senderName: string;
  readonly ts: number;
  readonly content: Record<string, unknown>;
  readonly previous: Record<string, unknown>;
}

const CALL_MEMBERS = new Set([
  "m.rtc.member",
  "org.matrix.msc3401.call.member",
  "org.matrix.msc4143.rtc.member",
]);

/** What a state event changed; `undefined` for what is none of the reader's business, or changed nothing they could see. */
export function describeState(facts: StateFacts): StateChange | undefined {
  const { content, previous } = facts;
  const base = {
    eventId: asEventId(facts.eventId),
    ts: facts.ts,
    by: asUserId(facts.sender),
    byName: facts.senderName,
  };
  switch (facts.type) {
    case "m.room.member":
      return describeMember(facts, base);
    case "m.room.create":
      return { ...base, what: "created" };
    case "m.room.name":
      return content.name === previous.name ? undefined : { ...base, what: "named", to: text(content.name) };
    case "m.room.topic":
      return content.topic === previous.topic
        ? undefined
        : { ...base, what: "topic", to: text(content.topic) };
    case "m.room.encryption":
      return previous.algorithm === undefined ? { ...base, what: "encrypted" } : undefined;
    case "m.room.avatar":
      return content.url === previous.url ? undefined : { ...base, what: "avatar" };
    case "m.room.pinned_events":
      return { ...base, what: "pinned" };
    case "m.room.power_levels":
      return previous.users === undefined ? undefined : { ...base, what: "power" };
    case "m.room.join_rules":
      return previous.join_rule === undefined ? undefined : { ...base, what: "access" };
    case "m.room.history_visibility":
      return previous.history_visibility === undefined ? undefined : { ...base, what: "history" };
    case "m.room.tombstone":
      return { ...base, what: "replaced", roomId: asRoomId(text(content.replacement_room)) };
    default:
      return CALL_MEMBERS.has(facts.type) ? describeCall(facts, base) : undefined;
  }
}

type Base = Pick<StateChange, "eventId" | "ts" | "by" | "byName">;

function describeMember(facts: StateFacts, base: Base): StateChange | undefined {
  const { content, previous, sender, stateKey } = facts;
  const [before, after] = [previous.membership ?? "leave", content.membership];
  const isSelf = sender === stateKey;
  const named = text(content.displayname) || text(previous.displayname) || stateKey;
  const who = { who: asUserId(stateKey), whoName: named, reason: text(content.reason) };
  if (after === "join" && before === "join") {
    const [from, to] = [text(previous.displayname), text(content.displayname)];
    if (from !== to) return { ...base, what: "renamedSelf", from: from || stateKey, to: to || stateKey };
    return content.avatar_url === previous.avatar_url ? undefined : { ...base, what: "newPicture" };
  }
  if (after === "join") return { ...base, ...who, what: "joined" };
  if (after === "invite") return { ...base, ...who, what: "invited" };
  if (after === "knock") return { ...base, ...who, what: "knocked" };
  if (after === "ban") return { ...base, ...who, what: "banned" };
  if (after !== "leave") return undefined;
  if (before === "ban") return { ...base, ...who, what: "unbanned" };
  if (before === "invite") return { ...base, ...who, what: isSelf ? "rejected" : "uninvited" };
  return { ...base, ...who, what: isSelf ? "left" : "kicked" };
}

/** Only the first of a call shows: who comes and goes is in the channel list. */
function describeCall({ content, previous }: StateFacts, base: Base): StateChange | undefined {
  const [was, is] = [Object.keys(previous).length > 0, Object.keys(content).length > 0];
  return !was && is ? { ...base, what: "call" } : undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 500) : "";
}
