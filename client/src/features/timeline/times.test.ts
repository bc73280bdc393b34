import { expect, test } from "vitest";
import { messageTimes } from "./times";

const NOW = new Date(2026, 10, 20, 14, 5).getTime();
const times = messageTimes("en-GB", "system", () => NOW);

test("days of this year go without the year", () => {
  expect(times.day(NOW)).toBe("Friday 20 November");
  expect(times.day(new Date(2025, 0, 2).getTime())).toContain("2025");
});

test("the clock follows the preference", () => {
  expect(times.clock(NOW)).toBe("14:05");
  expect(messageTimes("en-GB", "12", () => NOW).clock(NOW)).toMatch(/0?2:05 pm/i);
});

test("how long ago something was", () => {
  expect(times.ago(NOW - 4 * 60_000)).toBe("4 minutes ago");
  expect(times.ago(NOW + 5_000)).toBe("this minute");
  expect(times.ago(NOW - 3 * 3_600_000)).toBe("3 hours ago");
  expect(times.ago(NOW - 50 * 3_600_000)).toBe("2 days ago");
});
