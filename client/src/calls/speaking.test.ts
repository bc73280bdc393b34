import { expect, test } from "vitest";
import { Speaking } from "./speaking";

const levels = (all: Record<string, number>) => new Map(Object.entries(all));

test("a loud sample makes a speaker at once, and silence ends it after it has lingered", () => {
  const speaking = new Speaking();
  expect(speaking.hear(levels({ ann: 0.001, ben: 0 }), 0)).toBe(false);
  expect(speaking.hear(levels({ ann: 0.2, ben: 0 }), 60)).toBe(true);
  expect(speaking.has("ann")).toBe(true);
  expect(speaking.hear(levels({ ann: 0, ben: 0 }), 400)).toBe(false);
  expect(speaking.has("ann")).toBe(true);
  expect(speaking.hear(levels({ ann: 0, ben: 0 }), 500)).toBe(true);
  expect(speaking.has("ann")).toBe(false);
});

test("who mutes or leaves does not linger", () => {
  const speaking = new Speaking();
  speaking.hear(levels({ ann: 0.2 }), 0);
  expect(speaking.hear(levels({}), 60)).toBe(true);
  expect(speaking.has("ann")).toBe(false);
});
