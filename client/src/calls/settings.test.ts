import { expect, test } from "vitest";
import { meterShare, rootMeanSquare } from "./meter";
import { withVolume } from "./settings";

test("a volume is kept within what one can hear, and old ones make room", () => {
  expect(withVolume({}, "@ann:a", 5)).toEqual({ "@ann:a": 2 });
  expect(withVolume({ "@ann:a": 1 }, "@ann:a", -1)).toEqual({ "@ann:a": 0 });
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`@u${index}:a`, 1]));
  const kept = withVolume(many, "@ann:a", 0.5);
  expect(Object.keys(kept)).toHaveLength(200);
  expect(kept["@u0:a"]).toBeUndefined();
  expect(kept["@ann:a"]).toBe(0.5);
});

test("a meter shows loudness as ears hear it", () => {
  expect(rootMeanSquare(new Float32Array(0))).toBe(0);
  expect(rootMeanSquare(new Float32Array([0.5, -0.5]))).toBeCloseTo(0.5);
  expect(meterShare(0)).toBe(0);
  expect(meterShare(1)).toBe(1);
  expect(meterShare(0.03)).toBeCloseTo(0.49, 1);
});
