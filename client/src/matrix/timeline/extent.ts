/** How much of a timeline a window holds, and how much it fetches at once. */

/** Rows that a window holds at most; beyond it, the far end is let go and fetched again when it is wanted. */
const ROWS_MAX = 600;
/**
 * Comings and goings are folded into one row, reactions into the row of their message. Two thousand people who were brought into a
 * channel on one day would otherwise push the newest messages out of the window, for rows that nobody sees.
 */
const FOLDED_PER_ROW = 10;
const PAGE_EVENTS = 60;
const PAGE_EVENTS_MAX = 480;
/** So many changes are enough where the last page held nothing else: who wants what is before them asks for it. */
const CHANGES_UNASKED_MAX = 200;

/** What an event shows: a row of its own, a part of a row of changes, or nothing. */
export type Shown = "message" | "state" | undefined;

/** How many events to let go at this side, so that the window holds no more than it may. */
export function excessOf(shown: readonly Shown[], side: "start" | "end"): number {
  let weight = shown.reduce((sum, one) => sum + weightOf(one), 0) - ROWS_MAX * FOLDED_PER_ROW;
  const ordered = side === "start" ? shown : shown.toReversed();
  let count = 0;
  while (weight > 0) weight -= weightOf(ordered[count++]);
  return count;
}

const weightOf = (one: Shown): number => (one === "message" ? FOLDED_PER_ROW : 1);

/** The pages of one window: larger ones as long as they bring nothing to read. */
export class Pages {
  private size = PAGE_EVENTS;
  private isSilent = false;

  /** Events to ask for next. */
  get next(): number {
    return this.size;
  }

  /** Told what is in the window before and after a page was fetched. */
  came(before: readonly Shown[], after: readonly Shown[]): void {
    this.isSilent = count(after, "message") <= count(before, "message");
    this.size = this.isSilent ? Math.min(this.size * 2, PAGE_EVENTS_MAX) : PAGE_EVENTS;
  }

  /** Whether what is before this window waits until somebody asks for it. */
  isQuiet(shown: readonly Shown[]): boolean {
    return this.isSilent && count(shown, "state") >= CHANGES_UNASKED_MAX;
  }
}

const count = (shown: readonly Shown[], what: Shown): number => shown.filter((one) => one === what).length;
