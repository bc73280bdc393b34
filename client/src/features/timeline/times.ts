import { useMemo } from "react";
import { usePreferences } from "~/hooks/preferences";
import { useTranslation } from "~/i18n/use-translation";

interface MessageTimes {
  /** 14:05 */
  readonly clock: (ts: number) => string;
  /** Thursday, 20 November; with the year if it is another one. */
  readonly day: (ts: number) => string;
  /** Thursday, 20 November 2026 at 14:05:09 */
  readonly full: (ts: number) => string;
  /** 4 minutes ago */
  readonly ago: (ts: number) => string;
}

const known = new Map<string, MessageTimes>();

/** Times of messages in the chosen language and form of clock. Formats are costly to make and kept. */
export function useMessageTimes(): MessageTimes {
  const { i18n } = useTranslation();
  const timeFormat = usePreferences((preferences) => preferences.timeFormat);
  return useMemo(() => {
    const key = `${i18n.language}|${timeFormat}`;
    const times = known.get(key) ?? messageTimes(localeOf(i18n.language), timeFormat);
    known.set(key, times);
    return times;
  }, [i18n.language, timeFormat]);
}

/** The chosen language in the variety that the browser prefers: 24 hours or 12, day before month or after. */
function localeOf(language: string): string {
  return navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
}

export function messageTimes(
  locale: string,
  timeFormat: "system" | "12" | "24",
  now: () => number = Date.now,
): MessageTimes {
  const hours = timeFormat === "system" ? {} : { hour12: timeFormat === "12" };
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", ...hours });
  const day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const dayOfYear = new Intl.DateTimeFormat(locale, { dateStyle: "full" });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium", ...hours });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const isThisYear = (ts: number) => new Date(ts).getFullYear() === new Date(now()).getFullYear();
  return {
    clock: (ts) => clock.format(ts),
    day: (ts) => (isThisYear(ts) ? day : dayOfYear).format(ts),
    full: (ts) => full.format(ts),
    ago: (ts) => {
      const minutes = Math.round((ts - now()) / 60_000);
      if (minutes > -60) return relative.format(Math.min(0, minutes), "minute");
      const hoursAgo = Math.round(minutes / 60);
      return hoursAgo > -24
        ? relative.format(hoursAgo, "hour")
        : relative.format(Math.round(hoursAgo / 24), "day");
    },
  };
}
