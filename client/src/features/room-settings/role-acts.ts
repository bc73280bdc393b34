import type { Requirement } from "~/matrix/permissions";
import type { PowerLevels } from "~/matrix/power-levels";

/** Something that a role may do. */
export interface Act {
  readonly id: string;
  /** A level of its own in the room's power levels, or the types of events that are it. */
  readonly requirement?: Requirement;
  readonly events?: readonly string[];
  readonly isState?: boolean;
  readonly place: "both" | "channel" | "space";
}

export const ACTS = [
  { id: "send", requirement: "events_default", place: "channel" },
  { id: "react", events: ["m.reaction"], place: "channel" },
  { id: "invite", requirement: "invite", place: "both" },
  { id: "pin", events: ["m.room.pinned_events"], isState: true, place: "channel" },
  { id: "redact", requirement: "redact", place: "channel" },
  { id: "kick", requirement: "kick", place: "both" },
  { id: "ban", requirement: "ban", place: "both" },
  { id: "channels", events: ["m.space.child"], isState: true, place: "space" },
  { id: "describe", events: ["m.room.name", "m.room.topic", "m.room.avatar"], isState: true, place: "both" },
  { id: "access", events: ["m.room.join_rules", "m.room.history_visibility"], isState: true, place: "both" },
  { id: "roles", events: ["m.room.power_levels"], isState: true, place: "both" },
] as const satisfies readonly Act[];

/** The level that an act needs; of several events, the highest. */
export function levelFor(act: Act, levels: PowerLevels): number {
  const fallback = act.isState ? levels.stateDefault : levels.eventsDefault;
  if (act.events) return Math.max(...act.events.map((type) => levels.events.get(type) ?? fallback));
  switch (act.requirement) {
    case "invite":
      return levels.invite;
    case "kick":
      return levels.kick;
    case "ban":
      return levels.ban;
    case "redact":
      return levels.redact;
    case "state_default":
      return levels.stateDefault;
    default:
      return levels.eventsDefault;
  }
}

/** What to write into the room's power levels for an act to need this level. */
export function changeFor(
  act: Act,
  level: number,
): { requirements: Partial<Record<Requirement, number>>; events: Record<string, number> } {
  return {
    requirements: act.requirement ? { [act.requirement]: level } : {},
    events: Object.fromEntries((act.events ?? []).map((type) => [type, level])),
  };
}
