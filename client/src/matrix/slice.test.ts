import { expect, test, vi } from "vitest";
import { Changes, DerivedSlice } from "./slice";

function counter() {
  const changes = new Changes();
  const values = new Map<string, number>();
  const slice = new DerivedSlice(changes, (key: string) => ({ value: values.get(key) ?? 0 }));
  return { changes, values, slice };
}

test("a watcher hears once of many changes, and only of its key", () => {
  const { changes, values, slice } = counter();
  const [ofA, ofB] = [vi.fn(), vi.fn()];
  slice.read("a");
  slice.read("b");
  slice.watch("a", ofA);
  slice.watch("b", ofB);
  for (const value of [1, 2, 3]) {
    values.set("a", value);
    slice.invalidate("a");
  }
  changes.flush();
  expect(ofA).toHaveBeenCalledTimes(1);
  expect(ofB).not.toHaveBeenCalled();
  expect(slice.read("a")).toEqual({ value: 3 });
});

test("an equal snapshot stays the same object and is told to nobody", () => {
  const { changes, slice } = counter();
  const before = slice.read("a");
  const onChange = vi.fn();
  slice.watch("a", onChange);
  slice.invalidate("a");
  changes.flush();
  expect(slice.read("a")).toBe(before);
  expect(onChange).not.toHaveBeenCalled();
});

test("what nobody watches is derived anew when it is read", () => {
  const { values, slice } = counter();
  slice.read("a");
  values.set("a", 5);
  slice.invalidate("a");
  expect(slice.read("a")).toEqual({ value: 5 });
});

test("what changed between the first read and the watching is seen by the one who watches", () => {
  const { values, slice } = counter();
  slice.read("a");
  values.set("a", 7);
  slice.invalidate("a");
  slice.watch("a", () => {});
  expect(slice.read("a")).toEqual({ value: 7 });
});

test("what has changed and is watched by nobody any more is let go", () => {
  const changes = new Changes();
  const derived: { value: number; previous: number | undefined }[] = [];
  let value = 1;
  const slice = new DerivedSlice(changes, (_key: string, previous: { value: number } | undefined) => {
    derived.push({ value, previous: previous?.value });
    return { value };
  });
  const stop = slice.watch("a", () => {});
  value = 2;
  slice.invalidate("a");
  stop();
  changes.flush();
  expect(derived).toEqual([{ value: 1, previous: undefined }]);
  expect(slice.read("a")).toEqual({ value: 2 });
  expect(derived.at(-1)).toEqual({ value: 2, previous: undefined });
});
