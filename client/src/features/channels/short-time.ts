const DAY_MS = 86_400_000;

/** A moment in a few letters: the time today, the weekday within six days, else the date. */
export function shortTime(ts: number, now: number, language: string, timeZone?: string): string {
  const zone = timeZone ? { timeZone } : {};
  const dayOf = (at: number) => new Intl.DateTimeFormat("en-CA", { dateStyle: "short", ...zone }).format(at);
  if (dayOf(ts) === dayOf(now))
    return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", ...zone }).format(ts);
  if (now - ts < 6 * DAY_MS && ts <= now)
    return new Intl.DateTimeFormat(language, { weekday: "short", ...zone }).format(ts);
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short", ...zone }).format(ts);
}
