/** How loud is speech, 0 to 1: about -40 dB of full scale. */
const SPEECH_LEVEL = 0.01;
/** For how long someone counts as speaking after their last sound, so that the ring does not flicker between words. */
const LINGER_MS = 400;

/**
 * Who is speaking, from levels told every few tens of milliseconds. It reacts to the first loud sample, which together
 * with the pace of the samples stays within 150 ms.
 */
export class Speaking {
  private readonly loudAt = new Map<string, number>();
  private speakers: ReadonlySet<string> = new Set();

  /** Takes in a round of levels; tells whether anything has changed. */
  hear(levels: ReadonlyMap<string, number>, nowMs: number): boolean {
    for (const [key, level] of levels) if (level >= SPEECH_LEVEL) this.loudAt.set(key, nowMs);
    for (const [key, at] of this.loudAt) {
      if (!levels.has(key) || nowMs - at > LINGER_MS) this.loudAt.delete(key);
    }
    const hasChanged =
      this.loudAt.size !== this.speakers.size ||
      [...this.loudAt.keys()].some((key) => !this.speakers.has(key));
    if (hasChanged) this.speakers = new Set(this.loudAt.keys());
    return hasChanged;
  }

  has(key: string): boolean {
    return this.speakers.has(key);
  }
}
