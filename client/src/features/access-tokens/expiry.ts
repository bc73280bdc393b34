/** For how many days a token is good. */
export const EXPIRIES = ["7", "30", "90", "365", "never"] as const;
export type Expiry = (typeof EXPIRIES)[number];

const DAY_MS = 86_400_000;

/** When a token of that expiry ends, in milliseconds since the epoch. */
export const endOf = (expiry: Expiry, nowTs: number): number | undefined =>
  expiry === "never" ? undefined : nowTs + Number(expiry) * DAY_MS;
