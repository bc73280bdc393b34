import { expect, test } from "vitest";
import { marksFor } from "./chart-marks";

const NOON = new Date(2026, 10, 29, 12, 7, 5).getTime();
const until = (ms: number) => [NOON - ms, NOON];

test.each([
  ["two minutes", 120_000, "12:07:05"],
  ["an hour", 3_600_000, "12:07"],
  ["a day", 86_400_000, "12:07"],
  ["a week", 7 * 86_400_000, "29. Nov."],
])("below %s stand times or days, as the language writes them", (_span, ms, written) =>
  expect(marksFor(until(ms), "de").format(NOON)).toBe(written),
);
