import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Reach } from "./reach";

const SFU = "https://sfu.partner.example";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("an SFU out of reach is tried again after pauses that grow up to a minute", () => {
  const tries: number[] = [];
  const reach = new Reach(() => {
    tries.push(Date.now() - start);
    reach.failed(SFU);
  });
  const start = Date.now();
  reach.failed(SFU);
  vi.advanceTimersByTime(300_000);
  const pauses = tries.map((at, index) => at - (tries[index - 1] ?? 0));
  expect(pauses.slice(0, 8)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("until its pause is over it is not tried, and stays out of reach until it was reached", () => {
  const reach = new Reach(() => {});
  expect(reach.mayTry(SFU)).toBe(true);
  reach.failed(SFU);
  expect([reach.isOut(SFU), reach.mayTry(SFU)]).toEqual([true, false]);
  vi.advanceTimersByTime(2_000);
  expect([reach.isOut(SFU), reach.mayTry(SFU)]).toEqual([true, true]);
  reach.reached(SFU);
  expect([reach.isOut(SFU), reach.mayTry(SFU)]).toEqual([false, true]);
});

test("what nobody uses any more is forgotten, and nothing is tried after the end", () => {
  const onDue = vi.fn();
  const reach = new Reach(onDue);
  reach.failed(SFU);
  reach.failed("https://sfu.other.example");
  reach.keep(new Set([SFU]));
  expect(reach.isOut("https://sfu.other.example")).toBe(false);
  reach.close();
  vi.advanceTimersByTime(120_000);
  expect(onDue).not.toHaveBeenCalled();
});
