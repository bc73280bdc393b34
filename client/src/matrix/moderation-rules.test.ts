import { expect, test } from "vitest";
import { asUserId } from "./ids";
import { judgeActions, NO_ACTIONS } from "./moderation-rules";
import { readPowerLevels, rolesOf } from "./power-levels";

const [anna, ben] = [asUserId("@anna:x"), asUserId("@ben:x")];

function judge(
  { mine, theirs, isOwner = false }: { mine: number; theirs: number; isOwner?: boolean },
  membership = "join",
  target = ben,
) {
  const creation = { sender: ben, version: isOwner ? "12" : "11", additionalCreators: undefined };
  const levels = readPowerLevels(creation, { users: { [anna]: mine, [ben]: theirs } });
  const roles = rolesOf(levels, undefined);
  const { grantable, ...can } = judgeActions({ levels, roles, me: anna, target, membership });
  return { ...can, grantable: grantable.map(({ level }) => level) };
}

test("an administrator may do everything to a member", () =>
  expect(judge({ mine: 100, theirs: 0 })).toEqual({
    canKick: true,
    canBan: true,
    canUnban: false,
    canRedact: true,
    grantable: [100, 50, 0],
  }));

test("equals cannot touch each other, and members nobody", () => {
  expect(judge({ mine: 50, theirs: 50 })).toMatchObject({ canKick: false, canBan: false, grantable: [] });
  expect(judge({ mine: 0, theirs: 0 })).toEqual(NO_ACTIONS);
});

test("nobody gives more than they have", () =>
  expect(judge({ mine: 50, theirs: 0 }).grantable).toEqual([50, 0]));

test("one may step down but not remove oneself, and an owner's role is nobody's to change", () => {
  const self = judge({ mine: 100, theirs: 0 }, "join", anna);
  expect(self).toMatchObject({ canKick: false, canBan: false, grantable: [100, 50, 0] });
  expect(judge({ mine: 100, theirs: 0, isOwner: true }).grantable).toEqual([]);
});

test("who is banned can be let in again, and not be removed once more", () =>
  expect(judge({ mine: 100, theirs: 0 }, "ban")).toMatchObject({
    canKick: false,
    canBan: false,
    canUnban: true,
    grantable: [],
  }));
