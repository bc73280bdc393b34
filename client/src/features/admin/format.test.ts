import { expect, test } from "vitest";
import { ago, bytes } from "./format";

test("sizes have the unit that reads best", () => {
  expect([0, 999, 1500, 12_400_000, 3e15].map((value) => bytes(value, "en"))).toEqual([
    "0 byte",
    "999 byte",
    "1.5 kB",
    "12 MB",
    "3,000 TB",
  ]);
});

test("times are told by the largest unit that has passed", () => {
  const now = 1_800_000_000_000;
  expect(ago(now - 5 * 60_000, now, "en")).toBe("5 minutes ago");
  expect(ago(now - 26 * 3_600_000, now, "en")).toBe("yesterday");
  expect(ago(now + 90_000, now, "de")).toBe("in 2 Minuten");
});
