import { expect, test } from "vitest";
import { shortTime } from "./short-time";

const at = (text: string) => Date.parse(text);
const now = at("2026-11-28T12:00:00Z");

test("today is a time, this week a weekday, before that a date", () => {
  expect(shortTime(at("2026-11-28T08:05:00Z"), now, "en-GB", "UTC")).toBe("08:05");
  expect(shortTime(at("2026-11-27T23:00:00Z"), now, "en-GB", "UTC")).toBe("Fri");
  expect(shortTime(at("2026-11-02T08:00:00Z"), now, "en-GB", "UTC")).toBe("2 Nov");
  expect(shortTime(at("2026-11-27T23:00:00Z"), now, "de", "UTC")).toBe("Fr");
});

test("the day is that of the reader's place", () => {
  expect(shortTime(at("2026-11-27T23:30:00Z"), now, "en-GB", "Europe/Berlin")).toBe("00:30");
});
