import { expect, test } from "vitest";
import { stepsBetween } from "./shift";

const rows = (keys: string) => [...keys].map((key) => ({ key }));
const steps = (before: string, after: string) =>
  stepsBetween(rows(before), rows(after)).map(({ items, shift }) => [
    items.map(({ key }) => key).join(""),
    shift,
  ]);

test.each([
  ["", "abc", [["abc", false]]],
  ["abc", "abcd", [["abcd", false]]],
  ["abc", "xyabc", [["xyabc", true]]],
  ["abc", "bc", [["bc", true]]],
  [
    "abc",
    "xyab",
    [
      ["xyabc", true],
      ["xyab", false],
    ],
  ],
  [
    "abc",
    "bcd",
    [
      ["bc", true],
      ["bcd", false],
    ],
  ],
  ["Dabc", "ExDabc".replace("D", ""), [["Exabc", true]]],
  ["abc", "axbc", [["axbc", false]]],
  ["abc", "xyz", [["xyz", false]]],
])("from %s to %s", (before, after, expected) => expect(steps(before, after)).toEqual(expected));
