import type { MatrixEvent } from "matrix-js-sdk/lib/matrix";
import type { MemberKey } from "./types";

/** A reaction within a call, as Element Call sends it: it refers to the membership of who sends it. */
export const REACTION_TYPE = "io.element.call.reaction";
const SHOWN_MS = 4_000;
/** Longer texts are no emoji. */
const LENGTH_MAX = 16;

/** What members reacted with, for as long as it is shown. */
export class Reactions {
  private readonly shown = new Map<MemberKey, string>();

  constructor(private readonly onChange: () => void) {}

  now(): ReadonlyMap<MemberKey, string> {
    return this.shown;
  }

  add(key: MemberKey, event: MatrixEvent): void {
    const emoji: unknown = event.getContent().emoji;
    const isOld = Date.now() - event.getTs() > SHOWN_MS * 2;
    if (typeof emoji !== "string" || emoji.length === 0 || emoji.length > LENGTH_MAX || isOld) return;
    this.shown.set(key, emoji);
    this.onChange();
    setTimeout(() => {
      if (this.shown.get(key) !== emoji) return;
      this.shown.delete(key);
      this.onChange();
    }, SHOWN_MS);
  }
}
