/** Where a timeline may be cut: before this event, and what lies before it is fetched from this token on. */
interface TrimMark {
  readonly eventId: string;
  readonly token: string;
}

/** Events between two marks: a cut keeps at most so many more than it must. */
const MARK_EVERY = 20;

/**
 * The places of one room's live timeline from which the server can go on backwards. Each sync answer begins where the token of
 * the one before ends, so the first event that it brings is such a place.
 */
export class TrimMarks {
  private marks: TrimMark[] = [];
  private seenToken: string | undefined;
  private sinceMark = MARK_EVERY;

  /** An event came to the end of the timeline, in the answer to a sync from this token. */
  take(eventId: string, token: string | undefined): void {
    const isFirst = token !== this.seenToken;
    this.seenToken = token;
    if (isFirst && token !== undefined && this.sinceMark >= MARK_EVERY) {
      this.marks.push({ eventId, token });
      this.sinceMark = 0;
    }
    this.sinceMark++;
  }

  /** The timeline's oldest event and its own token, which go away when older ones are fetched. */
  takeStart(mark: TrimMark): void {
    if (!this.marks.some(({ eventId }) => eventId === mark.eventId)) this.marks.unshift(mark);
  }

  /** The place to cut so that at least so many of these events stay; `undefined` if there is none that leaves less. */
  cutFor(eventIds: readonly string[], kept: number): (TrimMark & { readonly index: number }) | undefined {
    const places = new Map(eventIds.map((id, index) => [id, index]));
    this.marks = this.marks.filter(({ eventId }) => places.has(eventId));
    let best: (TrimMark & { readonly index: number }) | undefined;
    for (const mark of this.marks) {
      const index = places.get(mark.eventId) ?? 0;
      if (index > (best?.index ?? 0) && eventIds.length - index >= kept) best = { ...mark, index };
    }
    return best;
  }
}
