import { expect, test } from "vitest";
import type { FoundRoom } from "~/matrix/hierarchy";
import { asRoomId } from "~/matrix/ids";
import { neighbourOf, OFFERS, rowsOf } from "./rows";

const [a, b, c, space] = ["!a", "!b", "!c", "!space"].map(asRoomId) as [never, never, never, never];
const categories = [
  { id: undefined, name: "", channels: [a] },
  { id: space, name: "Engineering", channels: [b, c] },
];
const offer: FoundRoom = {
  id: asRoomId("!offer"),
  name: "offer",
  topic: "",
  alias: undefined,
  avatarMxc: undefined,
  memberCount: 1,
  kind: "text",
  access: "restricted",
  via: [],
  isSuggested: true,
};
const none = () => false;

test("a server's own channels come first, then each category with its own, then what one could join", () => {
  const rows = rowsOf({ categories, offers: [offer], collapsed: new Set(), isKeptShown: none });
  expect(rows.map(({ kind }) => kind)).toEqual([
    "channel",
    "category",
    "channel",
    "channel",
    "offer-heading",
    "offer",
  ]);
});

test("a collapsed category shows only what is open or new", () => {
  const collapsed = new Set<string>([space, OFFERS]);
  const rows = rowsOf({ categories, offers: [offer], collapsed, isKeptShown: (id) => id === c });
  expect(rows.flatMap((row) => (row.kind === "channel" ? [row.id] : []))).toEqual([a, c]);
  expect(rows.at(-1)).toMatchObject({ kind: "offer-heading", isCollapsed: true });
});

test("a room in two categories has a line in both", () => {
  const twice = [...categories, { id: asRoomId("!other"), name: "Other", channels: [b] }];
  const keys = rowsOf({ categories: twice, offers: [], collapsed: new Set(), isKeptShown: none }).map(
    ({ key }) => key,
  );
  expect(new Set(keys).size).toBe(keys.length);
});

test("neighbours stop at both ends and pass over what is not wanted", () => {
  expect(neighbourOf(["a", "b", "c"], "b", 1)).toBe("c");
  expect(neighbourOf(["a", "b", "c"], "c", 1)).toBeUndefined();
  expect(neighbourOf(["a", "b", "c"], "a", 1, (id) => id === "c")).toBe("c");
  expect(neighbourOf(["a", "b"], undefined, 1)).toBe("a");
  expect(neighbourOf(["a", "b"], "elsewhere", -1)).toBe("b");
});
