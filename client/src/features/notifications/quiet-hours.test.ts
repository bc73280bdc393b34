import { expect, test } from "vitest";
import { isQuiet } from "./quiet-hours";

const at = (hours: number, minutes = 0) => new Date(2026, 10, 28, hours, minutes);
const quiet = (from: string, to: string, isOn = true) => ({ from, to, isOn });

test("a night reaches over midnight, its end not included", () => {
  const night = quiet("22:00", "07:00");
  expect([21, 22, 23, 0, 6, 7, 12].map((hour) => isQuiet(night, at(hour)))).toEqual([
    ...[false, true, true, true, true, false, false],
  ]);
});

test("a lunch break lies within the day", () => {
  const lunch = quiet("12:00", "13:30");
  expect([isQuiet(lunch, at(11, 59)), isQuiet(lunch, at(13, 29)), isQuiet(lunch, at(13, 30))]).toEqual([
    ...[false, true, false],
  ]);
});

test("switched off, empty or broken times are never quiet", () => {
  expect(isQuiet(quiet("22:00", "07:00", false), at(23))).toBe(false);
  expect(isQuiet(quiet("09:00", "09:00"), at(9))).toBe(false);
  expect(isQuiet(quiet("", "25:00"), at(9))).toBe(false);
});
