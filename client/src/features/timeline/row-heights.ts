/** What is known of the heights of rows: those that were on the screen are remembered, others count as the average of these. */
export class RowHeights {
  private readonly known = new Map<string, number>();
  private sum = 0;

  of(key: string): number {
    return this.known.get(key) ?? (this.known.size > 0 ? this.sum / this.known.size : FIRST_GUESS_PX);
  }

  note(key: string, height: number): void {
    this.sum += height - (this.known.get(key) ?? 0);
    this.known.set(key, height);
    if (this.known.size <= ROWS_REMEMBERED_MAX) return;
    const [oldest, itsHeight] = this.known.entries().next().value ?? ["", 0];
    this.known.delete(oldest);
    this.sum -= itsHeight;
  }

  /** Of the rows from one index up to, not including, another. */
  total(rows: readonly Keyed[], from: number, to: number): number {
    let total = 0;
    for (const { key } of rows.slice(from, to)) total += this.of(key);
    return total;
  }
}

export interface Keyed {
  readonly key: string;
}

/** A row, and how far below the upper edge of the screen it begins. */
export interface Placed {
  readonly index: number;
  readonly top: number;
}

/** The rows from one index up to, not including, another. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const FIRST_GUESS_PX = 48;
/** Several windows' worth of rows: a reader who goes far away and comes back finds the heights again. */
const ROWS_REMEMBERED_MAX = 4_000;

/** The rows on a screen of this height and `ahead` pixels above and below it, with the placed one always among them. */
export function spanAround(
  rows: readonly Keyed[],
  heights: RowHeights,
  { index, top }: Placed,
  { height, ahead }: { readonly height: number; readonly ahead: number },
): Span {
  let from = index;
  for (let edge = top; from > 0 && edge > -ahead; from--) edge -= heights.of(rows[from - 1]?.key ?? "");
  let to = index;
  for (let edge = top; to < rows.length && edge < height + ahead; to++)
    edge += heights.of(rows[to]?.key ?? "");
  return { from, to: Math.min(rows.length, Math.max(to, index + 1)) };
}

/** The row that lies this many pixels below the top of the first of `from` to `to`. */
export function rowAt(
  rows: readonly Keyed[],
  heights: RowHeights,
  { from, to }: Span,
  distance: number,
): Placed {
  let top = 0 - distance;
  for (let index = from; index < to - 1; index++) {
    const height = heights.of(rows[index]?.key ?? "");
    if (top + height > 0) return { index, top };
    top += height;
  }
  return { index: to - 1, top };
}
