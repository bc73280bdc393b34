import { CryptoEvent, DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api";
import type { MatrixEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";

/**
 * Between one try and the next. The SDK asks the backup once for a key, and again only when an event is decrypted anew, and not
 * within 5 s; devices bring new keys there up to 10 s late, or when they are next online.
 */
const PAUSES_MS = [1_000, 6_000, 12_000, 25_000, 50_000, 100_000] as const;
/** Keys that are waited for at once. A history whose keys are lost must not become hundreds of requests. */
const KEYS_MAX = 30;
/** Somebody who goes to and fro between windows does not ask each time. */
const OCCASION_PAUSE_MS = 15_000;

/** What no key will mend. */
const FINAL: ReadonlySet<DecryptionFailureCode | null> = new Set([
  DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED,
  DecryptionFailureCode.MEGOLM_KEY_WITHHELD,
  DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE,
]);

interface Wanted {
  /** One of the events that the key opens; the SDK tries the others when it comes. */
  readonly event: MatrixEvent;
  tries: number;
  dueTs: number;
}

/** What `LateKeys` is given of the world around it. */
interface Surroundings {
  /** Whether somebody looks at the event's room. */
  readonly isOpen: (event: MatrixEvent) => boolean;
  /** Decrypts an event that could not be read before; settles also if it still cannot. */
  readonly decrypt: (event: MatrixEvent) => Promise<void>;
  readonly now: () => number;
}

/**
 * Asks again for keys of messages that are looked at and cannot be read yet: a few times within the first minutes, and then when
 * there is an occasion (this device was unlocked, the network or the reader came back).
 */
export class LateKeys {
  /** By the id of the key, which is one in all rooms. */
  private readonly wanted = new Map<string, Wanted>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private occasionTs = Number.NEGATIVE_INFINITY;

  constructor(private readonly around: Surroundings) {}

  /** Listens for occasions until the session closes. */
  listen({ client, onClose }: SessionContext): void {
    const onOccasion = () => this.occasion();
    const onVisible = () => {
      if (document.visibilityState === "visible") this.occasion();
    };
    const onUnlocked = () => this.startAnew();
    window.addEventListener("online", onOccasion);
    window.addEventListener("focus", onOccasion);
    document.addEventListener("visibilitychange", onVisible);
    client.on(CryptoEvent.KeyBackupStatus, onUnlocked);
    client.on(CryptoEvent.KeyBackupDecryptionKeyCached, onUnlocked);
    onClose(() => {
      this.close();
      window.removeEventListener("online", onOccasion);
      window.removeEventListener("focus", onOccasion);
      document.removeEventListener("visibilitychange", onVisible);
      client.off(CryptoEvent.KeyBackupStatus, onUnlocked);
      client.off(CryptoEvent.KeyBackupDecryptionKeyCached, onUnlocked);
    });
  }

  /** Somebody looks at an event that cannot be read. May be called as often as it is drawn. */
  want(event: MatrixEvent): void {
    const id = keyOf(event);
    if (id === undefined || this.wanted.has(id) || FINAL.has(event.decryptionFailureReason)) return;
    if (this.wanted.size >= KEYS_MAX && !this.makeRoomFor(event)) return;
    this.wanted.set(id, { event, tries: 0, dueTs: this.around.now() + PAUSES_MS[0] });
    this.setTimer();
  }

  /** The reader or the network is back. */
  occasion(): void {
    const now = this.around.now();
    if (now - this.occasionTs < OCCASION_PAUSE_MS) return;
    this.occasionTs = now;
    this.startAnew();
  }

  close(): void {
    clearTimeout(this.timer);
    this.wanted.clear();
  }

  private startAnew(): void {
    for (const wanted of this.wanted.values()) {
      wanted.tries = 0;
      wanted.dueTs = this.around.now() + PAUSES_MS[0];
    }
    this.setTimer();
  }

  /** New messages before old ones: an older one gives its place up. */
  private makeRoomFor(event: MatrixEvent): boolean {
    let oldest: [string, Wanted] | undefined;
    for (const entry of this.wanted) {
      if (!oldest || entry[1].event.getTs() < oldest[1].event.getTs()) oldest = entry;
    }
    if (!oldest || oldest[1].event.getTs() >= event.getTs()) return false;
    return this.wanted.delete(oldest[0]);
  }

  private setTimer(): void {
    clearTimeout(this.timer);
    const dueTs = Math.min(...[...this.wanted.values()].map((wanted) => wanted.dueTs));
    if (!Number.isFinite(dueTs)) return;
    this.timer = setTimeout(() => void this.tryDue(), Math.max(0, dueTs - this.around.now()));
  }

  private async tryDue(): Promise<void> {
    const now = this.around.now();
    for (const [id, wanted] of this.wanted) {
      // Read meanwhile, deleted, or out of sight: who looks there again wants it again.
      if (!wanted.event.isDecryptionFailure() || !this.around.isOpen(wanted.event)) {
        this.wanted.delete(id);
        continue;
      }
      if (wanted.dueTs > now) continue;
      wanted.tries++;
      const pause = PAUSES_MS[wanted.tries];
      // After the last one the event stays, for an occasion.
      wanted.dueTs = pause === undefined ? Number.POSITIVE_INFINITY : now + pause;
      // It throws where the event became readable just now.
      await this.around.decrypt(wanted.event).catch(() => {});
    }
    this.setTimer();
  }
}

function keyOf(event: MatrixEvent): string | undefined {
  const id: unknown = event.getWireContent().session_id;
  return typeof id === "string" ? id : undefined;
}
