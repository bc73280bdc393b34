import { expect, it } from "vitest";
import { fits, hasWords, isSearch, parseSearch } from "./search-query";

it("takes the operators out and leaves the words", () => {
  const query = parseSearch('from:@anna in:#general has:file before:2026-03-02 roll out from:"Ben Berg"');
  expect(query).toEqual({
    words: "roll out",
    from: ["anna", "Ben Berg"],
    in: ["general"],
    has: ["file"],
    before: new Date(2026, 2, 2).getTime(),
    after: undefined,
  });
});

it("leaves what is no operator among the words", () => {
  expect(parseSearch("has:nothing before:yesterday re: plan").words).toBe(
    "has:nothing before:yesterday re: plan",
  );
  expect(parseSearch("before:2026-02-31").before).toBeUndefined();
  expect(parseSearch("from:@anna:example.org").from).toEqual(["@anna:example.org"]);
});

it("knows when there is nothing to look for", () => {
  expect(isSearch(parseSearch("  in:general "))).toBe(false);
  expect(isSearch(parseSearch("has:image"))).toBe(true);
});

it("looks at days and at what a message holds", () => {
  const message = { ts: 500, msgtype: "m.text", body: "see https://example.org" };
  expect(fits(parseSearch("has:link"), message)).toBe(true);
  expect(fits(parseSearch("has:image"), message)).toBe(false);
  expect(fits({ ...parseSearch(""), before: 500 }, message)).toBe(false);
  expect(fits({ ...parseSearch(""), after: 500 }, message)).toBe(true);
});

it("finds words by their beginnings, without case and accents", () => {
  expect(hasWords("Die Crème brûlée ist fertig", "creme BRUL")).toBe(true);
  expect(hasWords("Die Crème", "rem")).toBe(false);
  expect(hasWords("an example", "ex")).toBe(false);
});
