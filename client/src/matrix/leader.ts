/** One tab at a time opens the account: two would write the same keys. */
const LOCK = "echorift.session";
const CHANNEL = "echorift.tabs";
/** A page that is being reloaded holds the lock for a moment longer. */
const RELOAD_MS = 700;
/** How long the other tab may take to close its stores before the lock is taken from it. */
const YIELD_MS = 3_000;

const Word = { yield: "yield", yielded: "yielded" } as const;

interface LeadershipEvents {
  /** This tab may open the account. */
  readonly onLead: () => void;
  /** Another tab has it. */
  readonly onElsewhere: () => void;
  /** Another tab asks for it: settle when the stores are closed. */
  readonly onYield: () => Promise<void>;
}

/**
 * Which tab leads, by Web Locks; the tabs talk to each other by BroadcastChannel. A tab that does not lead waits in line,
 * so it takes over by itself when the other one is closed. Browsers without Web Locks let every tab lead.
 */
export class Leadership {
  private readonly channel = new BroadcastChannel(CHANNEL);
  private release: (() => void) | undefined;
  private waiting = new AbortController();

  constructor(private readonly events: LeadershipEvents) {
    this.channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data === Word.yield && this.release) void this.stepBack();
    };
  }

  /** Leads as soon as nobody else does. */
  seek(): void {
    if (!navigator.locks) {
      this.events.onLead();
      return;
    }
    const { signal } = this.waiting;
    const patience = setTimeout(() => this.events.onElsewhere(), RELOAD_MS);
    signal.addEventListener("abort", () => clearTimeout(patience));
    this.request({ signal });
  }

  /** Asks the tab that leads to step back, and leads once it has; one that does not answer is passed over. */
  take(): void {
    this.giveUpWaiting();
    const answers = new BroadcastChannel(CHANNEL);
    const steal = () => {
      clearTimeout(deadline);
      answers.close();
      this.request({ steal: true });
    };
    const deadline = setTimeout(steal, YIELD_MS);
    answers.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data === Word.yielded) steal();
    };
    this.channel.postMessage(Word.yield);
  }

  /** Lets the next in line lead, without joining the line again. */
  leave(): void {
    this.giveUpWaiting();
    this.release?.();
    this.release = undefined;
  }

  private giveUpWaiting(): void {
    this.waiting.abort();
    this.waiting = new AbortController();
  }

  private request(options: LockOptions): void {
    let release: (() => void) | undefined;
    const held = navigator.locks.request(LOCK, options, () => {
      // Whatever else of this tab stands in line is not needed any more.
      this.giveUpWaiting();
      const isOver = new Promise<void>((resolve) => {
        release = resolve;
      });
      this.release = release;
      this.events.onLead();
      return isOver;
    });
    // Rejected if the lock was taken from this tab, or if the waiting was given up.
    held.catch(() => {
      if (release && this.release === release) void this.stepBack();
    });
  }

  private async stepBack(): Promise<void> {
    const release = this.release;
    this.release = undefined;
    await this.events.onYield();
    this.events.onElsewhere();
    this.channel.postMessage(Word.yielded);
    // The tab that asked takes the lock from this one, so that none in line comes before it.
    setTimeout(() => release?.(), YIELD_MS);
    this.request({ signal: this.waiting.signal });
  }
}
