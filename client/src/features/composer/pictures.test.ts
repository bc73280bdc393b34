import { expect, it } from "vitest";
import { canShrink, fitted, kindOf } from "./pictures";

it("knows what is shown and what is only saved", () => {
  expect(kindOf("image/png")).toBe("image");
  // It can hold scripts.
  expect(kindOf("image/svg+xml")).toBe("file");
  expect(kindOf("video/webm")).toBe("video");
  expect(kindOf("")).toBe("file");
});

it("fits pictures without making them larger", () => {
  expect(fitted({ width: 4000, height: 1000 }, 800)).toEqual({ width: 800, height: 200 });
  expect(fitted({ width: 40, height: 10 }, 800)).toEqual({ width: 40, height: 10 });
  expect(fitted({ width: 9000, height: 1 }, 800)).toEqual({ width: 800, height: 1 });
});

it("offers smaller only where it helps", () => {
  expect(canShrink("image/jpeg", 5_000_000, { width: 100, height: 100 })).toBe(true);
  expect(canShrink("image/jpeg", 5_000, { width: 4000, height: 100 })).toBe(true);
  expect(canShrink("image/jpeg", 5_000, { width: 400, height: 100 })).toBe(false);
  expect(canShrink("image/gif", 5_000_000, { width: 4000, height: 100 })).toBe(false);
});
