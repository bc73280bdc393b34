import { type Keyed, type Placed, RowHeights, rowAt, type Span, spanAround } from "./row-heights";

/** What is in the document at present: of these rows, those of the span. */
interface Shown extends Span {
  readonly rows: readonly Keyed[];
  /** The last row is the newest there is. */
  readonly isLive: boolean;
}

/** What the reader looks at: the end, or rows that stay where they are. */
type Place =
  | { readonly at: "end"; readonly isWanted: boolean }
  | {
      readonly at: "rows";
      /** The first that is still there is held, so many pixels below the log's upper edge when it was scrolled to `scroll`. */
      readonly rows: readonly { readonly key: string; readonly top: number }[];
      readonly scroll: number;
      /** The first row is to be in the middle, as far as there is enough around it. */
      readonly isCentred: boolean;
    };

interface LogEvents {
  /** Rows with these keys, and those between them, are to be in the document; before the next frame if there is a gap in sight. */
  readonly onShow: (keys: ReadonlySet<string>, isUrgent: boolean) => void;
  readonly onAtEnd: (isAtEnd: boolean) => void;
}

interface Parts {
  readonly log: HTMLElement;
  readonly above: HTMLElement;
  readonly below: HTMLElement;
}

/** Within so many pixels one is at the end. */
const END_PX = 24;
/** Rows exist so far beyond the screen… */
const AHEAD_PX = 800;
/** …and others are chosen when only so much of it is left, or that many times as much is there. */
const AHEAD_PX_MIN = 400;
const AHEAD_TIMES_MAX = 3;
/** Heights of boxes are told in whole pixels. */
const ROUNDING_PX = 2;
const HOLD_ROUNDS_MAX = 3;
/** The log fades out above this line. */
const FADE_PX = 20;

/**
 * Holds still what is read. The log scrolls from its end (`column-reverse`): its offset is 0 at the end and negative above, so
 * that whatever happens above needs no correction and who is at the end stays there without help. What changes below the rows that
 * are read is taken up by the space that stands for rows further down, or else by the offset. Both are computed from where the
 * held row *is*, not from where sums of heights say that it should be, so they are right however late a height is known.
 */
export class LogView {
  private readonly heights = new RowHeights();
  private readonly elements = new Map<string, HTMLElement>();
  private readonly observer = new ResizeObserver(() => this.settle());
  private parts: Parts | undefined;
  private shown: Shown = { rows: [], from: 0, to: 0, isLive: true };
  private indices: ReadonlyMap<string, number> = new Map();
  private place: Place = { at: "end", isWanted: false };
  private isAtEnd = true;
  private spaceBelow = 0;
  /** The offset as this view knows it; any other is the reader's doing. */
  private offset = 0;
  /** The reader has scrolled, and was not seen doing it before something else was put right. */
  private isReadElsewhere = false;

  constructor(private readonly events: LogEvents) {}

  mount(parts: Parts): () => void {
    this.parts = parts;
    this.observer.observe(parts.log);
    return () => {
      this.parts = undefined;
      this.observer.disconnect();
    };
  }

  /** A row came into the document; what is returned is for when it goes. */
  mountRow(key: string, element: HTMLElement): () => void {
    this.elements.set(key, element);
    this.observer.observe(element);
    return () => {
      this.observer.unobserve(element);
      if (this.elements.get(key) === element) this.elements.delete(key);
    };
  }

  /** The document is as told, and not painted yet. */
  commit(shown: Shown): void {
    const before = this.shown;
    this.shown = shown;
    if (shown.rows !== before.rows) this.indices = new Map(shown.rows.map(({ key }, index) => [key, index]));
    if (this.place.at === "rows" && !this.place.rows.some(({ key }) => this.indexOf(key) >= 0)) {
      this.place = { at: "end", isWanted: true };
    }
    this.spaceBelow = this.boundSpace(this.expectSpace(before));
    this.settle();
  }

  /** The log was scrolled, by whomever. */
  scrolled(): void {
    const { parts } = this;
    if (!parts) return;
    const offset = parts.log.scrollTop;
    if (this.isReadElsewhere || Math.abs(offset - this.offset) > 1) {
      this.isReadElsewhere = false;
      this.offset = offset;
      this.place = this.whatIsRead(parts);
    }
    this.tellAtEnd();
    this.cover(parts, true);
  }

  /** How many pixels there are to scroll above and below. */
  distances(): { readonly above: number; readonly below: number; readonly screen: number } {
    const log = this.parts?.log;
    if (!log) return { above: 0, below: 0, screen: 0 };
    const below = -log.scrollTop;
    return { above: log.scrollHeight - log.clientHeight - below, below, screen: log.clientHeight };
  }

  toEnd(): void {
    this.place = { at: "end", isWanted: true };
    this.settle();
  }

  /** Brings a row onto the screen: into its middle, or no further than needed. */
  toKey(key: string, align: "center" | "nearest"): void {
    const { parts } = this;
    const index = this.indexOf(key);
    if (!parts || index < 0) return;
    const height = parts.log.clientHeight;
    const { top, bottom } = this.boxOf(parts, index);
    let goal = (height - (bottom - top)) / 2;
    if (align === "nearest") {
      if (top >= FADE_PX && bottom <= height) return;
      goal = top < FADE_PX ? FADE_PX : height - (bottom - top);
    }
    this.place = {
      at: "rows",
      rows: [{ key, top: goal }],
      scroll: parts.log.scrollTop,
      isCentred: align === "center",
    };
    this.settle();
  }

  private settle(): void {
    const { parts } = this;
    if (!parts) return;
    const { rows, from, to } = this.shown;
    parts.above.style.height = `${this.heights.total(rows, 0, from)}px`;
    parts.below.style.height = `${this.spaceBelow}px`;
    for (const { key } of rows.slice(from, to)) {
      const element = this.elements.get(key);
      if (element) this.heights.note(key, element.getBoundingClientRect().height);
    }
    this.hold(parts);
    const isCovered = this.cover(parts);
    if (isCovered) this.arrive(parts);
    this.tellAtEnd();
  }

  /** What was wanted is on the screen: from now on it stays there, whatever its own height becomes. */
  private arrive(parts: Parts): void {
    const { place } = this;
    if (place.at === "end") this.place = { at: "end", isWanted: false };
    else if (place.isCentred || place.rows.length === 1) {
      // A row that is held by itself was put where its neighbours were thought to be, and may be out of sight now.
      const inSight = this.keysInSight(parts);
      const target = place.rows.map(({ key }) => key).filter((key) => place.isCentred && this.isShown(key));
      if (inSight.length > 0) this.place = this.rowsAt(parts, [...new Set([...target, ...inSight])]);
    }
  }

  /** Brings the held row back to where it was, after something has moved it. */
  private hold(parts: Parts): void {
    if (this.place.at === "end") {
      // Not before there is something to see.
      if (this.place.isWanted && this.shown.to === this.shown.rows.length) this.scrollTo(parts.log, 0);
      return;
    }
    // What is put right can make the log too short for its offset, which the browser then changes.
    for (let round = 0; round < HOLD_ROUNDS_MAX && this.holdOnce(parts); round++);
  }

  /** Says whether it had to do something. */
  private holdOnce(parts: Parts): boolean {
    const { log, below } = parts;
    const { place } = this;
    const held = place.at === "rows" ? place.rows.find(({ key }) => this.isShown(key)) : undefined;
    if (place.at !== "rows" || !held) return false;
    const box = this.boxOf(parts, this.indexOf(held.key));
    const offset = log.scrollTop;
    // A log that became too short was scrolled by the browser; what else is different is the reader's doing and stays.
    const isCut = offset > this.offset + 1 && offset - (log.clientHeight - log.scrollHeight) < ROUNDING_PX;
    const byReader = (isCut ? this.offset : offset) - place.scroll;
    if (isCut) this.offset = offset;
    else if (Math.abs(offset - this.offset) > 1) this.isReadElsewhere = true;
    const goal = place.isCentred ? (log.clientHeight - (box.bottom - box.top)) / 2 : held.top - byReader;
    const moved = box.top - goal;
    const rows = place.rows.map(({ key, top }) => ({ key, top: top - byReader }));
    this.place = { ...place, rows, scroll: offset };
    if (Math.abs(moved) < 0.5) return false;
    const space = this.boundSpace(this.spaceBelow + moved);
    const rest = moved + this.spaceBelow - space;
    if (space !== this.spaceBelow) {
      this.spaceBelow = space;
      below.style.height = `${space}px`;
    }
    if (Math.abs(rest) < 0.5) return true;
    this.scrollTo(log, offset + rest);
    if (Math.abs(log.scrollTop - offset - rest) < 1 || place.isCentred) {
      this.place = { ...this.place, scroll: log.scrollTop };
      return !place.isCentred;
    }
    // There is not enough to scroll: where it came to is where it stays.
    this.place = this.rowsAt(
      parts,
      rows.map(({ key }) => key),
    );
    return false;
  }

  /** Sees to it that rows exist around what is read; says whether they did. */
  private cover(parts: Parts, isScrolled = false): boolean {
    const { rows, from, to } = this.shown;
    const placed = this.placed(parts);
    if (!placed) return true;
    const height = parts.log.clientHeight;
    const isInside = placed.index >= from && placed.index < to;
    const top = isInside ? this.boxOf(parts, from).top : height;
    const bottom = isInside ? this.boxOf(parts, to - 1).bottom : 0;
    const isEnough =
      (from === 0 || top <= -AHEAD_PX_MIN) && (to === rows.length || bottom >= height + AHEAD_PX_MIN);
    const isTooMuch = top < -AHEAD_PX * AHEAD_TIMES_MAX || bottom > height + AHEAD_PX * AHEAD_TIMES_MAX;
    if (isInside && isEnough && !isTooMuch) return true;
    const span = spanAround(rows, this.heights, placed, { height, ahead: AHEAD_PX });
    if (span.from === from && span.to === to) return true;
    const isGapSeen = (from > 0 && top > 0) || (to < rows.length && bottom < height);
    this.events.onShow(
      new Set(rows.slice(span.from, span.to).map(({ key }) => key)),
      isScrolled && isGapSeen,
    );
    return false;
  }

  /** The row around which others are to be shown. */
  private placed(parts: Parts): Placed | undefined {
    const { rows } = this.shown;
    const { place } = this;
    if (rows.length === 0) return undefined;
    if (place.at === "end") {
      const index = rows.length - 1;
      return { index, top: parts.log.clientHeight - this.heights.of(rows[index]?.key ?? "") };
    }
    for (const { key, top } of place.rows) {
      const index = this.indexOf(key);
      if (index < 0) continue;
      return {
        index,
        top: this.isShown(key) ? this.boxOf(parts, index).top : top - (parts.log.scrollTop - place.scroll),
      };
    }
    return undefined;
  }

  /** What the reader, who has just scrolled, has in view. */
  private whatIsRead(parts: Parts): Place {
    const { rows, isLive } = this.shown;
    const { log } = parts;
    if (isLive && -log.scrollTop <= END_PX) return { at: "end", isWanted: false };
    const keys = this.keysInSight(parts);
    if (keys.length > 0) return this.rowsAt(parts, keys);
    const placed = this.rowInSpace(parts);
    const row = rows[placed.index];
    if (!row) return { at: "end", isWanted: false };
    return {
      at: "rows",
      rows: [{ key: row.key, top: placed.top }],
      scroll: log.scrollTop,
      isCentred: false,
    };
  }

  /** Those of which the beginning is in sight come first: what grows above it does so out of sight. */
  private keysInSight({ log }: Parts): readonly string[] {
    const { rows, from, to } = this.shown;
    const [edge, height] = [log.getBoundingClientRect().top, log.clientHeight];
    const whole: string[] = [];
    const cut: string[] = [];
    for (const { key } of rows.slice(from, to)) {
      const box = this.elements.get(key)?.getBoundingClientRect();
      if (!box || box.bottom - edge <= 0) continue;
      // They lie below each other.
      if (box.top - edge >= height) break;
      (box.top - edge >= 0 ? whole : cut).push(key);
    }
    return [...whole, ...cut];
  }

  /** The row that would be at the top of the screen, had it been drawn. */
  private rowInSpace({ log, above, below }: Parts): Placed {
    const { rows, from, to } = this.shown;
    const edge = log.getBoundingClientRect().top;
    const upper = above.getBoundingClientRect();
    if (upper.bottom > edge) return rowAt(rows, this.heights, { from: 0, to: from }, edge - upper.top);
    const lower = below.getBoundingClientRect();
    const scale = lower.height > 0 ? this.heights.total(rows, to, rows.length) / lower.height : 1;
    return rowAt(rows, this.heights, { from: to, to: rows.length }, (edge - lower.top) * scale);
  }

  private rowsAt(parts: Parts, keys: readonly string[]): Place {
    const rows = keys
      .filter((key) => this.isShown(key))
      .map((key) => ({ key, top: this.boxOf(parts, this.indexOf(key)).top }));
    return { at: "rows", rows, scroll: parts.log.scrollTop, isCentred: false };
  }

  /**
   * The space below after other rows came into the document, if rows are as high as thought: as much as leaves the held one
   * in its place.
   */
  private expectSpace(before: Shown): number {
    const { rows, to } = this.shown;
    const keys = this.place.at === "rows" ? this.place.rows.map(({ key }) => key) : [];
    for (const key of keys) {
      const old = before.rows.findIndex((row) => row.key === key);
      const now = this.indexOf(key);
      if (old < before.from || old >= before.to || !this.isShown(key)) continue;
      const gone = this.heights.total(before.rows, old, before.to);
      return this.spaceBelow + gone - this.heights.total(rows, now, to);
    }
    return this.heights.total(rows, to, rows.length);
  }

  /** Nothing where nothing is below, and never so little that there is no way to what is. */
  private boundSpace(space: number): number {
    const { rows, to } = this.shown;
    if (to === rows.length) return 0;
    return Math.max(space, this.heights.total(rows, to, rows.length) / 2);
  }

  /** Relative to the log's upper edge; of a row that is not there, where it would be. */
  private boxOf(parts: Parts, index: number): { readonly top: number; readonly bottom: number } {
    const { rows, from } = this.shown;
    const row = rows[index];
    const edge = parts.log.getBoundingClientRect().top;
    const element = row && this.isShown(row.key) ? this.elements.get(row.key) : undefined;
    if (element) {
      const { top, bottom } = element.getBoundingClientRect();
      return { top: top - edge, bottom: bottom - edge };
    }
    const top =
      index < from
        ? parts.above.getBoundingClientRect().top + this.heights.total(rows, 0, index)
        : parts.below.getBoundingClientRect().top + this.heights.total(rows, this.shown.to, index);
    return { top: top - edge, bottom: top - edge + this.heights.of(row?.key ?? "") };
  }

  private isShown(key: string): boolean {
    const index = this.indexOf(key);
    return index >= this.shown.from && index < this.shown.to && this.elements.has(key);
  }

  private indexOf(key: string): number {
    return this.indices.get(key) ?? -1;
  }

  private scrollTo(log: HTMLElement, offset: number): void {
    if (log.scrollTop !== offset) log.scrollTop = offset;
    this.offset = log.scrollTop;
  }

  private tellAtEnd(): void {
    const isAtEnd = this.place.at === "end" && this.shown.isLive;
    if (isAtEnd === this.isAtEnd) return;
    this.isAtEnd = isAtEnd;
    this.events.onAtEnd(isAtEnd);
  }
}
