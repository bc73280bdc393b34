import { expect, test } from "vitest";
import { titleOf } from "./title";

test("the title says where one is and what is unread", () => {
  const quiet = { place: "general", brand: "Nordlicht", mentions: 0, isUnread: false };
  expect(titleOf(quiet)).toBe("general – Nordlicht");
  expect(titleOf({ ...quiet, place: undefined })).toBe("Nordlicht");
  expect(titleOf({ ...quiet, isUnread: true })).toBe("• general – Nordlicht");
  expect(titleOf({ ...quiet, isUnread: true, mentions: 2 })).toBe("(2) general – Nordlicht");
  expect(titleOf({ ...quiet, mentions: 120 })).toBe("(99+) general – Nordlicht");
});
