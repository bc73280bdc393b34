/** When a status ends by itself. */
export const STATUS_ENDS = ["never", "halfHour", "hour", "fourHours", "today", "week"] as const;
export type StatusEnd = (typeof STATUS_ENDS)[number];

const MINUTE_MS = 60_000;

/** The moment, ms since the epoch: "today" is the next midnight, "week" the midnight before Monday. */
export function endOf(end: StatusEnd, now: Date): number | undefined {
  switch (end) {
    case "never":
      return undefined;
    case "halfHour":
      return now.getTime() + 30 * MINUTE_MS;
    case "hour":
      return now.getTime() + 60 * MINUTE_MS;
    case "fourHours":
      return now.getTime() + 240 * MINUTE_MS;
    case "today":
      return midnight(now, 1);
    case "week":
      return midnight(now, ((8 - now.getDay()) % 7) + (now.getDay() === 1 ? 7 : 0));
  }
}

function midnight(now: Date, days: number): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).getTime();
}
