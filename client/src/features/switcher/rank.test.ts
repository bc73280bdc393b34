import { expect, test } from "vitest";
import { type Candidate, fold, rank, wordsOf } from "./rank";

const of = (name: string, lastTs = 0, weight = 0) => ({ name, text: fold(name), lastTs, weight });
const names = (typed: string, list: ReturnType<typeof of>[]) => rank(typed, list, 10).map(({ name }) => name);

test("whole names come before beginnings, those before words within, those before parts, those before letters", () => {
  const list = ["general-chat", "my general", "regeneral", "general", "gold enamel real"].map((name) =>
    of(name),
  );
  expect(names("general", list)).toEqual([
    "general",
    "general-chat",
    "my general",
    "regeneral",
    "gold enamel real",
  ]);
  expect(names("gnrl", list)).toContain("general");
});

test("accents and case do not matter, and every word must be there", () => {
  const list = [of("Zoë Müller"), of("Zoe Maier")];
  expect(names("muller zoe", list)).toEqual(["Zoë Müller"]);
  expect(names("nobody", list)).toEqual([]);
});

test("of equals, the one used last comes first, then the lighter group", () => {
  expect(names("a", [of("ab", 1), of("ac", 9), of("ad", 1, -1)])).toEqual(["ac", "ad", "ab"]);
  expect(names("", [of("old", 1), of("new", 9)])).toEqual(["new", "old"]);
});

test("a letter's answer looks at each of 2,000 entries once", () => {
  let looks = 0;
  const candidates: Candidate[] = Array.from({ length: 2_000 }, (_, index) => ({
    get text() {
      looks++;
      return `channel ${index}`;
    },
    lastTs: index,
    weight: 0,
  }));
  expect(rank("zz", candidates, 20)).toEqual([]);
  expect(looks).toBe(2_000);
});

test("our own server's name finds nobody, a partner's finds its people", () => {
  const people = ["@aiko:nordlicht.example", "@tomas:helios.example"].map((id) =>
    of(wordsOf(id === "@aiko:nordlicht.example" ? "Aiko" : "Tomás", id, "nordlicht.example")),
  );
  expect(names("nordlicht", people)).toEqual([]);
  expect(names("helios", people)).toHaveLength(1);
  expect(names("aik", people)).toHaveLength(1);
});
