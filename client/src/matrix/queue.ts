import {
  type ISendEventResponse,
  MatrixError,
  type MatrixEvent,
  MatrixScheduler,
} from "matrix-js-sdk/lib/matrix";

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;

/**
 * How long to wait before the same request is tried again; `undefined` if trying again cannot help.
 * `random` is 0 to 1: clients that lost their server together do not come back together.
 */
export function pauseBefore(error: unknown, attempts: number, random: number): number | undefined {
  const backOff = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (attempts - 1)) * (0.75 + random / 2);
  if (error instanceof MatrixError) {
    if (error.httpStatus === 429) return Math.max(error.getRetryAfterMs() ?? 0, backOff);
    return (error.httpStatus ?? 0) >= 500 ? backOff : undefined;
  }
  const status = (error as { httpStatus?: unknown } | undefined)?.httpStatus;
  if (typeof status === "number") return status >= 500 || status === 429 ? backOff : undefined;
  // Without any answer: the network.
  const name = error instanceof Error ? error.name : "";
  return name === "ConnectionError" || name === "TypeError" || name === "RenewalError" ? backOff : undefined;
}

interface Waiting {
  readonly event: MatrixEvent;
  readonly resolve: (answer: ISendEventResponse) => void;
  readonly reject: (reason: unknown) => void;
  attempts: number;
}

interface Line {
  readonly waiting: Waiting[];
  isMoving: boolean;
}

class NotNow extends Error {}

/**
 * Sends the events of each room one after another, so that their order is that in which they were written, and tries again
 * for as long as the server is away. One that the server refuses leaves the line; those behind it go on.
 */
export class SendQueue extends MatrixScheduler {
  /** Told when an event has to wait before it is tried again. */
  onWaits: (event: MatrixEvent) => void = () => {};
  private readonly lines = new Map<string, Line>();
  private readonly sleepers = new Set<() => void>();
  private readonly held = new Set<string>();
  private send: ((event: MatrixEvent) => Promise<ISendEventResponse>) | undefined;

  /** The event of this transaction fails without being asked for: it failed before the page was loaded. */
  hold(txnId: string): void {
    this.held.add(txnId);
  }

  /** Ends all pauses: the server may be back. */
  wake(): void {
    for (const wake of [...this.sleepers]) wake();
  }

  /** Settles after this time, or when somebody wakes. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }

  override setProcessFunction(send: (event: MatrixEvent) => Promise<ISendEventResponse>): void {
    this.send = send;
  }

  override queueEvent(event: MatrixEvent): Promise<ISendEventResponse> {
    const txnId = event.getTxnId() ?? "";
    if (this.held.delete(txnId)) return Promise.reject(new NotNow("this event failed before"));
    const line = this.lineOf(event);
    return new Promise((resolve, reject) => {
      line.waiting.push({ event, resolve, reject, attempts: 0 });
      if (!line.isMoving) void this.move(line);
    });
  }

  override getQueueForEvent(event: MatrixEvent): MatrixEvent[] {
    return this.lineOf(event).waiting.map((waiting) => waiting.event);
  }

  override removeEventFromQueue(event: MatrixEvent): boolean {
    const { waiting } = this.lineOf(event);
    const place = waiting.findIndex((other) => other.event.getId() === event.getId());
    if (place < 0) return false;
    waiting.splice(place, 1);
    this.wake();
    return true;
  }

  private lineOf(event: MatrixEvent): Line {
    const roomId = event.getRoomId() ?? "";
    const line = this.lines.get(roomId) ?? { waiting: [], isMoving: false };
    this.lines.set(roomId, line);
    return line;
  }

  private async move(line: Line): Promise<void> {
    line.isMoving = true;
    // The one who asked learns the outcome before the next one starts: relations then know the ID of their target.
    await Promise.resolve();
    for (let first = line.waiting[0]; first; first = line.waiting[0]) await this.attempt(line, first);
    line.isMoving = false;
  }

  private async attempt(line: Line, first: Waiting): Promise<void> {
    const leave = () => {
      if (line.waiting[0] === first) line.waiting.shift();
    };
    try {
      if (!this.send) throw new NotNow("nobody sends yet");
      const answer = await this.send(first.event);
      leave();
      first.resolve(answer);
    } catch (error) {
      first.attempts += 1;
      const pauseMs = pauseBefore(error, first.attempts, Math.random());
      if (pauseMs === undefined) {
        leave();
        first.reject(error);
      } else {
        this.onWaits(first.event);
        await this.pause(pauseMs);
      }
    }
  }
}
