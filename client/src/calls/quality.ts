import type { Quality } from "./types";

const ORDER: readonly Quality[] = ["unknown", "excellent", "good", "poor", "lost"];

/** The worse of two. */
export function worse(a: Quality, b: Quality): Quality {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

/** What a round trip and a share of lost packets feel like in a conversation. */
export function qualityOf(roundTripMs: number | undefined, loss: number): Quality {
  if (roundTripMs === undefined && loss === 0) return "unknown";
  const roundTrip = roundTripMs ?? 0;
  if (roundTrip > 450 || loss > 0.08) return "poor";
  if (roundTrip > 180 || loss > 0.02) return "good";
  return "excellent";
}

/** For how long a connection is poor before less is offered. */
const PATIENCE_MS = 10_000;

/** Whether to offer low bandwidth: poor for a while without a break, and not offered in vain before. */
export class PoorWatch {
  private poorSince: number | undefined;
  private isDismissed = false;

  see(quality: Quality, nowMs: number): boolean {
    const isPoor = quality === "poor" || quality === "lost";
    if (!isPoor) this.poorSince = undefined;
    else this.poorSince ??= nowMs;
    return !this.isDismissed && this.poorSince !== undefined && nowMs - this.poorSince >= PATIENCE_MS;
  }

  dismiss(): void {
    this.isDismissed = true;
  }
}
