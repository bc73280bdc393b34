import { expect, it } from "vitest";
import { type Format, format } from "./format";

const apply = (text: string, from: number, to: number, kind: Format) => {
  const change = format(text, from, to, kind);
  return text.slice(0, change.from) + change.text + text.slice(change.to);
};

it("marks what is selected, and takes the marks away again", () => {
  expect(apply("a word", 2, 6, "bold")).toBe("a **word**");
  expect(apply("a **word**", 4, 8, "bold")).toBe("a word");
  expect(apply("", 0, 0, "italic")).toBe("**");
  expect(apply("word", 0, 4, "link")).toBe("[word](https://)");
});

it("makes a block of code of several lines", () => {
  expect(apply("a\nb", 0, 3, "code")).toBe("```\na\nb\n```");
});

it("makes lists of whole lines, and lines of lists", () => {
  expect(apply("x\none\ntwo", 4, 9, "list")).toBe("x\n- one\n- two");
  expect(apply("- one\n- two", 2, 11, "list")).toBe("one\ntwo");
});
