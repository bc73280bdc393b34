import { expect, it } from "vitest";
import { withUse } from "./frequent";

const DAY_MS = 24 * 3600 * 1000;

it("puts the most used first and lets old habits fade", () => {
  let uses = withUse([], "👍", 0);
  uses = withUse(uses, "👍", 0);
  uses = withUse(uses, "🎉", 1);
  expect(uses.map(({ emoji }) => emoji)).toEqual(["👍", "🎉"]);
  const later = withUse(uses, "🎉", 60 * DAY_MS);
  expect(later[0]?.emoji).toBe("🎉");
});
