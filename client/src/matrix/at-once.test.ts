import { expect, test } from "vitest";
import { eachOf } from "./at-once";

test("no more than so many run at a time, and each runs once", async () => {
  const done: number[] = [];
  let [running, most] = [0, 0];
  await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(item);
  });
  expect([done.sort(), most]).toEqual([[1, 2, 3, 4, 5, 6, 7], 3]);
});

test("one that fails keeps none of the others back, and is told", async () => {
  const done: number[] = [];
  const all = eachOf([1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error("no");
    done.push(item);
  });
  await expect(all).rejects.toThrow("no");
  expect(done).toEqual([2, 3]);
});
