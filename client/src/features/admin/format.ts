import { useTranslation } from "~/i18n/use-translation";

/** Numbers, sizes and times in the reader's language. */
export function useFormat() {
  const { i18n } = useTranslation();
  const language = i18n.language;
  const number = new Intl.NumberFormat(language);
  const short = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return {
    count: (value: number | null | undefined) => (value == null ? "–" : number.format(value)),
    time: (ts: number | null | undefined) => (ts == null || ts === 0 ? "–" : clock.format(ts)),
    short: (value: number) => short.format(value),
    bytes: (value: number | null | undefined) => (value == null ? "–" : bytes(value, language)),
    ago: (ts: number | null | undefined) => (ts == null || ts === 0 ? "–" : ago(ts, Date.now(), language)),
  };
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function bytes(value: number, language: string): string {
  let rest = value;
  let size = 0;
  while (rest >= 1000 && size < SIZES.length - 1) {
    rest /= 1000;
    size += 1;
  }
  const unit = SIZES[size] ?? "byte";
  const options = { style: "unit", unit, maximumFractionDigits: rest < 10 && size > 0 ? 1 : 0 } as const;
  return new Intl.NumberFormat(language, options).format(rest);
}

const SPANS = [
  ["year", 31_536_000_000],
  ["month", 2_592_000_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** "5 minutes ago", by the largest unit that fits. */
export function ago(ts: number, now: number, language: string): string {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const passed = ts - now;
  for (const [unit, ms] of SPANS)
    if (Math.abs(passed) >= ms) return relative.format(Math.round(passed / ms), unit);
  return relative.format(Math.round(passed / 1000), "second");
}
