import { expect, test } from "vitest";
import { inOwnOrder, movedChild, sortChildren } from "./space-order";

const child = (id: string, order: unknown, ts = 0) => ({ id, content: { via: ["a.example"], order }, ts });

test("children stand by order, then age, then ID; invalid orders come last", () => {
  const events = [
    child("!none", undefined, 1),
    child("!b", "b", 9),
    child("!bad", "ü", 0),
    child("!a2", "a", 2),
    child("!a1", "a", 1),
  ];
  expect(sortChildren(events).map(({ id }) => id)).toEqual(["!a1", "!a2", "!b", "!bad", "!none"]);
});

test("a child without servers to join it by has been removed", () => {
  expect(sortChildren([{ id: "!gone", content: {}, ts: 0 }])).toEqual([]);
});

test("a child moves past its neighbour, and the others keep their order", () => {
  const children = sortChildren([child("!a", "0010"), child("!b", "0020"), child("!c", "0030")]);
  expect(movedChild(children, "!c", -1, () => true)).toEqual([
    { id: "!c", order: "0020" },
    { id: "!b", order: "0030" },
  ]);
});

test("rooms that are not shown are passed over", () => {
  const children = sortChildren([child("!a", "0010"), child("!hidden", "0020"), child("!c", "0030")]);
  const changes = movedChild(children, "!a", 1, (id) => id !== "!hidden");
  const after = children
    .map(({ id, order }) => ({ id, order: changes.find((change) => change.id === id)?.order ?? order ?? "" }))
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  expect(after.map(({ id }) => id)).toEqual(["!hidden", "!c", "!a"]);
});

test("the first cannot move up, the last cannot move down", () => {
  const children = sortChildren([child("!a", "0010"), child("!b", "0020")]);
  expect(movedChild(children, "!a", -1, () => true)).toEqual([]);
  expect(movedChild(children, "!b", 1, () => true)).toEqual([]);
});

test("servers stand in one's own order, new ones last", () => {
  expect(inOwnOrder(["!new", "!a", "!b"], ["!b", "!left", "!a"])).toEqual(["!b", "!a", "!new"]);
  expect(inOwnOrder(["!a", "!b"], { 0: "!b" })).toEqual(["!a", "!b"]);
});
