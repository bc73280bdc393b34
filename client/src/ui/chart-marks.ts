/** Above this, days tell more than times. */
const DAYS_FROM_MS = 36 * 3_600_000;
/** Below this, minutes would be the same ones again and again. */
const SECONDS_BELOW_MS = 300_000;

/** How the moments below a chart are written, by how far it reaches, in the language of the page. */
export function marksFor(times: readonly number[], language: string): Intl.DateTimeFormat {
  const spanMs = (times.at(-1) ?? 0) - (times[0] ?? 0);
  if (spanMs > DAYS_FROM_MS) return new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(language, spanMs < SECONDS_BELOW_MS ? { ...time, second: "2-digit" } : time);
}
