import { expect, test } from "vitest";
import { decodeBlurhash, encodeBlurhash, type Pixels } from "./blurhash";

/** Left half one colour, right half another. */
function halves(left: readonly number[], right: readonly number[]): Pixels {
  const [width, height] = [16, 12];
  const data = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < width * height; at++) data.set([...(at % width < 8 ? left : right), 255], at * 4);
  return { width, height, data };
}

const pixelAt = ({ width, data }: Pixels, x: number, y: number) => [
  ...data.slice((y * width + x) * 4).slice(0, 3),
];

test("one colour comes back as it was", () => {
  const hash = encodeBlurhash(halves([200, 40, 90], [200, 40, 90]), 1, 1);
  const decoded = decodeBlurhash(hash, 4, 4);
  expect(decoded && pixelAt(decoded, 2, 2)).toEqual([200, 40, 90]);
});

test("what was dark on the left and light on the right still is", () => {
  const decoded = decodeBlurhash(encodeBlurhash(halves([10, 10, 10], [240, 240, 240]), 4, 3), 16, 12);
  if (!decoded) throw new Error("it has to be a hash");
  const [left = 255] = pixelAt(decoded, 1, 6);
  const [right = 0] = pixelAt(decoded, 14, 6);
  expect(left).toBeLessThan(90);
  expect(right).toBeGreaterThan(180);
});

test("the example of the specification is read", () => {
  const decoded = decodeBlurhash("LEHV6nWB2yk8pyo0adR*.7kCMdnj", 32, 32);
  const middle = decoded && pixelAt(decoded, 16, 16);
  expect(decoded?.data.length).toBe(32 * 32 * 4);
  expect(middle?.every((value) => value > 40 && value < 220)).toBe(true);
});

test.each([
  "",
  "L",
  "LEHV6nWB",
  "LEHV6nWB2yk8pyo0adR*.7kCMdn",
  "\u{1f600}EHV6nWB2yk8pyo0adR*.7kCMdnj",
  "~~~~~~",
])("%j is no hash", (text) => {
  expect(decodeBlurhash(text, 8, 8)).toBeUndefined();
});
