import { expect, it } from "vitest";
import { shortened } from "./recorder";

it("keeps the loudest of each stretch", () => {
  expect(shortened([0.1, 0.9, 0.2, 0.3], 2)).toEqual([0.9, 0.3]);
  expect(shortened([0.1], 2)).toEqual([0.1]);
  expect(
    shortened(
      Array.from({ length: 7 }, (_, index) => index / 10),
      3,
    ),
  ).toEqual([0.1, 0.3, 0.6]);
});
