import { describe, expect, it } from "vitest";
import { complete, ranked, triggerAt } from "./trigger";

const at = (text: string) => triggerAt(text, text.length);

describe("triggerAt", () => {
  it("finds people, channels, emoji and commands before the caret", () => {
    expect(at("hi @an")).toEqual({ kind: "user", query: "an", start: 3 });
    expect(at("@")).toEqual({ kind: "user", query: "", start: 0 });
    expect(at("@Anna Be")).toEqual({ kind: "user", query: "Anna Be", start: 0 });
    expect(at("see (#gen")).toEqual({ kind: "channel", query: "gen", start: 5 });
    expect(at("nice :sm")).toEqual({ kind: "emoji", query: "sm", start: 5 });
    expect(at("/to")).toEqual({ kind: "command", query: "to", start: 0 });
  });

  it("leaves addresses, times, smileys and finished names alone", () => {
    for (const text of ["a@b.org", "at 10:30", "well :)", "x #a b c", "see /to", "@Anna Berg said it"])
      expect(at(text)).toBeUndefined();
  });
});

describe("complete", () => {
  it("puts the name and one blank in place", () => {
    const trigger = { kind: "user", query: "an", start: 3 } as const;
    expect(complete("hi @an", 6, trigger, "@Anna")).toEqual({ text: "hi @Anna ", caret: 9 });
    expect(complete("hi @an you", 6, trigger, "@Anna")).toEqual({ text: "hi @Anna you", caret: 9 });
  });
});

describe("ranked", () => {
  it("prefers beginnings, then words, then parts, without accents", () => {
    const names = ["Hannah", "Bert Anders", "Änna", "Zoe"];
    expect(ranked(names, "an", (name) => [name])).toEqual(["Änna", "Bert Anders", "Hannah"]);
  });
});
