import { expect, test } from "vitest";
import { excessOf, Pages, type Shown } from "./extent";

const some = (count: number, what: Shown): Shown[] => Array.from({ length: count }, () => what);

test("of messages no more than six hundred are kept, from either side", () => {
  expect(excessOf(some(600, "message"), "end")).toBe(0);
  expect(excessOf(some(650, "message"), "end")).toBe(50);
  expect(excessOf([...some(20, "state"), ...some(650, "message")], "start")).toBe(70);
});

test("thousands of comings and goings leave the newest messages where they are", () => {
  const crowd = [...some(2_000, "state"), ...some(5, "message")];
  expect(excessOf(crowd, "end")).toBe(0);
  expect(excessOf([...some(2_000, undefined), "message"], "end")).toBe(0);
  expect(excessOf(some(7_000, "state"), "end")).toBeGreaterThan(0);
});

test("pages grow as long as they bring nothing to read, and stop where that is only changes", () => {
  const pages = new Pages();
  const sizes: number[] = [];
  let shown = some(60, "state");
  while (!pages.isQuiet(shown)) {
    sizes.push(pages.next);
    const after = [...some(pages.next, "state"), ...shown];
    pages.came(shown, after);
    shown = after;
  }
  expect(sizes).toEqual([60, 120]);
  expect(pages.next).toBe(240);
  pages.came(shown, ["message", ...shown]);
  expect(pages.isQuiet(["message", ...shown])).toBe(false);
  expect(pages.next).toBe(60);
});

test("reactions alone are no reason to stop before the message that they are for", () => {
  const pages = new Pages();
  pages.came(some(60, undefined), some(900, undefined));
  expect(pages.isQuiet(some(900, undefined))).toBe(false);
});
