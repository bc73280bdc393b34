import { expect, it } from "vitest";
import { marked } from "./marked-text";

it("marks the words that were found, without case and accents", () => {
  const pieces = marked("Die Crème, cremig.", ["creme", "an"]);
  expect(pieces.map(({ text, isMarked }) => (isMarked ? `[${text}]` : text)).join("")).toBe(
    "Die [Crème], cremig.",
  );
  expect(marked("plans", ["plan"]).map(({ isMarked }) => isMarked)).toEqual([true]);
  expect(marked("", ["x"])).toEqual([]);
});
