import * as v from "valibot";

export type PresenceState = "online" | "away" | "busy" | "offline";
export type PresenceMode = "online" | "busy" | "away" | "invisible";

/** What a person chose for themselves. `untilTs`: when it ends, ms since the epoch. */
export interface OwnStatus {
  readonly mode: PresenceMode;
  readonly text: string;
  readonly untilTs: number | undefined;
}

/** Nothing chosen: seen as online, and as away when idle. */
export const NO_STATUS: OwnStatus = { mode: "online", text: "", untilTs: undefined };

/**
 * Matrix has no "busy": it is said by this sign before the status text, which clients that do not know of it show as it
 * is, and everybody understands.
 */
const BUSY_SIGN = "⛔";

/** What the server is told: a presence of the specification and a status text. */
export function toWire(status: OwnStatus, isIdle: boolean): { presence: WirePresence; text: string } {
  const text = status.mode === "busy" ? `${BUSY_SIGN} ${status.text}`.trim() : status.text;
  if (status.mode === "invisible") return { presence: "offline", text };
  return { presence: status.mode === "away" || isIdle ? "unavailable" : "online", text };
}

type WirePresence = "online" | "unavailable" | "offline";

/** What others see of what the server tells. Someone offline is offline, whatever they said before. */
export function fromWire(presence: string, statusText: string): { state: PresenceState; text: string } {
  const isBusy = statusText.startsWith(BUSY_SIGN);
  const text = isBusy ? statusText.slice(BUSY_SIGN.length).trim() : statusText;
  if (presence !== "online" && presence !== "unavailable") return { state: "offline", text };
  return { state: isBusy ? "busy" : presence === "online" ? "online" : "away", text };
}

const Stored = v.object({
  mode: v.fallback(v.picklist(["online", "busy", "away", "invisible"]), "online"),
  text: v.fallback(v.string(), ""),
  until_ts: v.fallback(v.optional(v.number()), undefined),
});

/** The choice as it is kept in account data; whatever cannot be read counts as not chosen. */
export function parseStatus(stored: unknown): OwnStatus {
  const parsed = v.safeParse(Stored, stored);
  if (!parsed.success) return NO_STATUS;
  const { mode, text, until_ts: untilTs } = parsed.output;
  return { mode, text, untilTs };
}

export function storeStatus({ mode, text, untilTs }: OwnStatus): Record<string, unknown> {
  return { mode, text, ...(untilTs === undefined ? {} : { until_ts: untilTs }) };
}
