import { expect, test } from "vitest";
import { formatElapsed } from "./elapsed";

test("time in a call reads like a clock", () => {
  expect(formatElapsed(-5)).toBe("0:00");
  expect(formatElapsed(245_900)).toBe("4:05");
  expect(formatElapsed(3_723_000)).toBe("1:02:03");
});
