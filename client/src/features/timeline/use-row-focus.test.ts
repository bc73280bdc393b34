import { expect, test } from "vitest";
import { nextKey } from "./use-row-focus";

const keys = ["a", "b", "c"];

test.each([
  [undefined, "ArrowUp", "c"],
  ["c", "k", "b"],
  ["a", "ArrowUp", "a"],
  ["a", "J", "b"],
  ["c", "ArrowDown", "c"],
  ["b", "Home", "a"],
  ["b", "End", "c"],
  [undefined, "Home", undefined],
  ["b", "x", undefined],
])("from %s by %s to %s", (current, pressed, next) => expect(nextKey(keys, current, pressed)).toBe(next));
