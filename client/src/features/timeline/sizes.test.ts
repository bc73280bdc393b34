import { expect, test } from "vitest";
import { bytesAsText, durationAsText, fitted } from "./sizes";

const bounds = { widthMax: 400, heightMax: 300 };

test("pictures keep their shape within the bounds", () => {
  expect(fitted(4000, 2000, bounds)).toEqual({ width: 400, height: 200 });
  expect(fitted(100, 900, bounds)).toEqual({ width: 33, height: 300 });
  expect(fitted(80, 60, bounds)).toEqual({ width: 80, height: 60 });
});

test("what lies about its size still gets a place", () => {
  expect(fitted(1, 1_000_000, bounds)).toEqual({ width: 24, height: 300 });
  expect(fitted(undefined, 20, bounds)).toEqual({ width: 240, height: 180 });
});

test("sizes and durations as people read them", () => {
  expect(bytesAsText(1_820_000, "en")).toBe("1.8 MB");
  expect(bytesAsText(512, "en")).toBe("512 B");
  expect(bytesAsText(1_820_000, "de")).toBe("1,8 MB");
  expect(durationAsText(65_400)).toBe("1:05");
});
