import { expect, test } from "vitest";
import { codeRole, SCAN, SHOW } from "./code-roles";

const role = (hasAsked: boolean, mine: readonly string[], theirs: readonly string[]) =>
  codeRole({ hasAsked, isMine: (method) => mine.includes(method), isTheirs: (m) => theirs.includes(m) });
const DESK = [SHOW];
const PHONE = [SHOW, SCAN];

test.each([
  ["two with cameras: who asked shows", PHONE, PHONE, "show", "read"],
  ["only the one that is asked has a camera", DESK, PHONE, "show", "read"],
  ["only the one that asks has a camera", PHONE, DESK, "read", "show"],
  ["nobody has a camera", DESK, DESK, undefined, undefined],
  ["the other side knows no codes", PHONE, [], undefined, undefined],
  ["the other side reads codes and shows none", PHONE, [SCAN], "show", "read"],
] as const)("%s", (_case, asking, asked, askingRole, askedRole) => {
  expect(role(true, asking, asked)).toBe(askingRole);
  expect(role(false, asked, asking)).toBe(askedRole);
});
