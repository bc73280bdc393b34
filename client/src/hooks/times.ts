import { useMemo } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { usePreferences } from "./preferences";

interface Times {
  /** 14:05 */
  readonly clock: (ts: number, timeZone?: string) => string;
  /** 3 March 2026 */
  readonly day: (ts: number) => string;
  /** 3 Mar 2026, 14:05 */
  readonly moment: (ts: number) => string;
  /** Today's as a clock time, others as words or a day: "yesterday", "3 March 2026". */
  readonly since: (ts: number) => string;
}

/** Times in the chosen language, zone and form of clock. */
export function useTimes(): Times {
  const { i18n } = useTranslation();
  const timeFormat = usePreferences((preferences) => preferences.timeFormat);
  return useMemo(() => timesFor(i18n.language, timeFormat), [i18n.language, timeFormat]);
}

function timesFor(language: string, timeFormat: "system" | "12" | "24", now = Date.now): Times {
  const locale =
    language === "en" ? (navigator.languages.find((tag) => tag.startsWith("en")) ?? "en") : language;
  const hours = timeFormat === "system" ? {} : { hour12: timeFormat === "12" };
  const time = { hour: "2-digit", minute: "2-digit", ...hours } as const;
  const clock = (ts: number, timeZone?: string) =>
    new Intl.DateTimeFormat(locale, { ...time, ...(timeZone ? { timeZone } : {}) }).format(ts);
  const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const momentFormat = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    ...time,
  });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return {
    clock,
    day: (ts) => dayFormat.format(ts),
    moment: (ts) => momentFormat.format(ts),
    since: (ts) => {
      const days = daysBetween(ts, now());
      if (days <= 0) return clock(ts);
      return days === 1 ? relative.format(-1, "day") : dayFormat.format(ts);
    },
  };
}

/** Midnights between two moments, in this place's time. */
function daysBetween(earlier: number, later: number): number {
  const midnight = (ts: number) => new Date(ts).setHours(0, 0, 0, 0);
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}
