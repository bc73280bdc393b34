import { describe, expect, test } from "vitest";
import { asUserId } from "./ids";
import {
  isAbove,
  levelOf,
  mayGiveLevel,
  NO_PERMISSIONS,
  permissionsOf,
  readPowerLevels,
  roleFor,
  rolesOf,
} from "./power-levels";

const anna = asUserId("@anna:a.example");
const ben = asUserId("@ben:a.example");
const cleo = asUserId("@cleo:a.example");
const old = { sender: anna, version: "10", additionalCreators: undefined };
const owned = { sender: anna, version: "12", additionalCreators: [ben, 7] };

describe("levels", () => {
  test("without an event the creator of an old room has 100 and state is open", () => {
    const levels = readPowerLevels(old, undefined);
    expect([levelOf(levels, anna), levelOf(levels, ben), levels.stateDefault]).toEqual([100, 0, 0]);
  });

  test("with an event its gaps have the specification's defaults", () => {
    const levels = readPowerLevels(old, { users: { [ben]: 50 } });
    expect([levelOf(levels, anna), levelOf(levels, ben)]).toEqual([0, 50]);
    expect([levels.stateDefault, levels.eventsDefault, levels.ban, levels.invite]).toEqual([50, 0, 50, 0]);
  });

  test("creators are above everybody since room version 12, also additional ones", () => {
    const levels = readPowerLevels(owned, { users: { [cleo]: 9_000 } });
    expect(levelOf(levels, anna)).toBe(Number.POSITIVE_INFINITY);
    expect(levelOf(levels, ben)).toBe(Number.POSITIVE_INFINITY);
    expect(isAbove(levels, anna, cleo)).toBe(true);
    expect(isAbove(levels, cleo, ben)).toBe(false);
    expect(isAbove(levels, anna, ben)).toBe(false);
  });

  test("numbers as text count, nonsense does not", () => {
    const levels = readPowerLevels(old, { users_default: "10", ban: "high", kick: 1.5, users: [1] });
    expect([levels.usersDefault, levels.ban, levels.kick, levels.users.size]).toEqual([10, 50, 50, 0]);
  });
});

describe("permissions", () => {
  test("an announcement channel is read by members and written by moderators", () => {
    const levels = readPowerLevels(old, {
      events_default: 50,
      events: { "m.reaction": 0 },
      users: { [ben]: 50 },
    });
    expect(permissionsOf(levels, cleo)).toMatchObject({ send: false, react: true, changeName: false });
    expect(permissionsOf(levels, ben)).toMatchObject({ send: true, changeName: true, kick: true });
  });

  test("a room that is not known allows nothing", () => {
    const { level, ...rights } = NO_PERMISSIONS;
    expect(level).toBe(0);
    expect(Object.values(rights)).not.toContain(true);
  });

  test("a level is given up to one's own, to people below oneself or to oneself", () => {
    const levels = readPowerLevels(old, {
      users: { [anna]: 100, [ben]: 50 },
      events: { "m.room.power_levels": 50 },
    });
    expect(mayGiveLevel(levels, ben, cleo, 50)).toBe(true);
    expect(mayGiveLevel(levels, ben, cleo, 51)).toBe(false);
    expect(mayGiveLevel(levels, ben, anna, 0)).toBe(false);
    expect(mayGiveLevel(levels, ben, ben, 0)).toBe(true);
    expect(mayGiveLevel(levels, cleo, ben, 0)).toBe(false);
  });

  test("nobody gives a level to an owner", () => {
    const levels = readPowerLevels(owned, {});
    expect(mayGiveLevel(levels, anna, ben, 0)).toBe(false);
    expect(mayGiveLevel(levels, anna, cleo, 100)).toBe(true);
  });
});

describe("roles", () => {
  test("the usual ones, the named ones and those in use, highest first", () => {
    const levels = readPowerLevels(owned, { users: { [cleo]: 20 } });
    const roles = rolesOf(levels, { names: { 75: " Release lead ", x: "y", 0: "Staff" } });
    expect(roles.map(({ kind, level, name }) => [kind, level, name])).toEqual([
      ["owner", Number.POSITIVE_INFINITY, undefined],
      ["admin", 100, undefined],
      ["custom", 75, "Release lead"],
      ["moderator", 50, undefined],
      ["custom", 20, undefined],
      ["member", 0, "Staff"],
    ]);
    expect(roleFor(roles, 99).level).toBe(75);
    expect(roleFor(roles, -5).kind).toBe("member");
  });
});
