import { expect, test } from "vitest";
import { endOf } from "./status-end";

const at = (day: number, hour = 15) => new Date(2026, 10, day, hour, 30);
const midnight = (day: number) => new Date(2026, 10, day).getTime();

test("today ends at the next midnight", () => expect(endOf("today", at(18))).toBe(midnight(19)));

test("this week ends before Monday, from every day of it", () => {
  // 16 November 2026 is a Monday.
  for (let day = 16; day <= 22; day++) expect(endOf("week", at(day))).toBe(midnight(23));
});

test("spans count from now, and never is never", () => {
  expect(endOf("hour", at(18))).toBe(at(18, 16).getTime());
  expect(endOf("never", at(18))).toBeUndefined();
});
