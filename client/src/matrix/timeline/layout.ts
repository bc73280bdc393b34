import type { EventId } from "../ids";
import { isShallowEqual } from "../slice";
import type { DayItem, Message, MessageItem, NewItem, StateChange, StateItem, TimelineItem } from "./types";

/** What a window holds of one event: a message, a change of the room, or nothing to show. */
export type Entry =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "state"; readonly change: StateChange };

const GROUP_MS = 5 * 60_000;

interface LayoutOptions {
  /** The last event that was read when the timeline was opened: a line comes below it. */
  readonly readUpTo: EventId | undefined;
  /** The day that a time belongs to, in the reader's time zone. */
  readonly dayOf: (ts: number) => string;
}

/**
 * Lays entries out as rows: dividers, groups, changes side by side in one line. Rows that are the same as before are the same
 * objects, so that a new message renders one row.
 */
export function layOut(
  entries: readonly Entry[],
  previous: readonly TimelineItem[],
  { readUpTo, dayOf }: LayoutOptions,
): readonly TimelineItem[] {
  const known = new Map(previous.map((item) => [item.key, item]));
  const items: TimelineItem[] = [];
  const add = (item: TimelineItem) => items.push(reuse(known.get(item.key), item));
  const newFrom = firstNew(entries, readUpTo);
  let day = "";
  let last: Message | undefined;
  let changes: StateChange[] = [];
  const closeChanges = () => {
    const [first] = changes;
    if (first) add({ kind: "state", key: `state:${first.eventId}`, changes });
    changes = [];
  };
  for (const [index, entry] of entries.entries()) {
    const ts = entry.kind === "message" ? entry.message.ts : entry.change.ts;
    const key = entry.kind === "message" ? entry.message.key : entry.change.eventId;
    if (dayOf(ts) !== day) {
      closeChanges();
      day = dayOf(ts);
      last = undefined;
      add({ kind: "day", key: `day:${key}`, ts } satisfies DayItem);
    }
    if (index === newFrom?.index) {
      closeChanges();
      last = undefined;
      add({ kind: "new", key: "new", count: newFrom.count, sinceTs: newFrom.sinceTs } satisfies NewItem);
    }
    if (entry.kind === "state") {
      changes.push(entry.change);
      last = undefined;
      continue;
    }
    closeChanges();
    const { message } = entry;
    const isContinued =
      last !== undefined &&
      last.sender === message.sender &&
      message.ts - last.ts < GROUP_MS &&
      message.replyTo === undefined;
    add({ kind: "message", key: message.key, message, isContinued } satisfies MessageItem);
    last = message;
  }
  closeChanges();
  return items;
}

/** Where the line above new messages goes: above the first of another person after what was read. */
function firstNew(entries: readonly Entry[], readUpTo: EventId | undefined) {
  if (readUpTo === undefined) return undefined;
  const read = entries.findIndex((entry) =>
    entry.kind === "message" ? entry.message.eventId === readUpTo : entry.change.eventId === readUpTo,
  );
  const readEntry = entries[read];
  if (!readEntry) return undefined;
  const index = entries.findIndex(
    (entry, at) => at > read && entry.kind === "message" && !entry.message.isOwn,
  );
  if (index < 0) return undefined;
  const count = entries
    .slice(index)
    .filter((entry) => entry.kind === "message" && !entry.message.isOwn).length;
  const sinceTs = readEntry.kind === "message" ? readEntry.message.ts : readEntry.change.ts;
  return { index, count, sinceTs };
}

function reuse(before: TimelineItem | undefined, item: TimelineItem): TimelineItem {
  if (!before || before.kind !== item.kind) return item;
  if (before.kind === "state" && item.kind === "state") return isSameState(before, item) ? before : item;
  return isShallowEqual(before, item) ? before : item;
}

function isSameState(a: StateItem, b: StateItem): boolean {
  return (
    a.changes.length === b.changes.length &&
    a.changes.every((change, index) => change.eventId === b.changes[index]?.eventId)
  );
}
