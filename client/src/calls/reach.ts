// Which SFUs of others are out of reach, and when each is tried again.

/** The pauses between tries of one SFU: from the first to the longest, doubled each time. */
const PAUSE_FIRST_MS = 2_000;
const PAUSE_MAX_MS = 60_000;

interface Failing {
  readonly tries: number;
  readonly timer: ReturnType<typeof setTimeout>;
  isDue: boolean;
}

/** Remembers the SFUs that could not be reached, by their address, and asks for a try of each after a pause that grows. */
export class Reach {
  private readonly failing = new Map<string, Failing>();

  /** `onDue`: some SFU may be tried again now. */
  constructor(private readonly onDue: () => void) {}

  /** Whether the last try failed, or what was connected is gone. */
  isOut(url: string): boolean {
    return this.failing.has(url);
  }

  /** Whether it may be tried now. */
  mayTry(url: string): boolean {
    return this.failing.get(url)?.isDue ?? true;
  }

  failed(url: string): void {
    const before = this.failing.get(url);
    clearTimeout(before?.timer);
    const tries = before ? before.tries + 1 : 0;
    const timer = setTimeout(
      () => {
        failing.isDue = true;
        this.onDue();
      },
      Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** tries),
    );
    const failing: Failing = { tries, timer, isDue: false };
    this.failing.set(url, failing);
  }

  reached(url: string): void {
    clearTimeout(this.failing.get(url)?.timer);
    this.failing.delete(url);
  }

  /** Forgets those that nobody uses any more. */
  keep(used: ReadonlySet<string>): void {
    for (const url of this.failing.keys()) if (!used.has(url)) this.reached(url);
  }

  close(): void {
    this.keep(new Set());
  }
}
