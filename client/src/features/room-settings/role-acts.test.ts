import { expect, test } from "vitest";
import { readPowerLevels } from "~/matrix/power-levels";
import { ACTS, type Act, changeFor, levelFor } from "./role-acts";

const act = (id: string): Act => ACTS.find((one) => one.id === id) as Act;

test("an act needs its own level, or the highest of its events'", () => {
  const levels = readPowerLevels(undefined, {
    invite: 10,
    events: { "m.room.name": 30, "m.room.topic": 80 },
  });
  expect(levelFor(act("invite"), levels)).toBe(10);
  expect(levelFor(act("describe"), levels)).toBe(80);
  expect(levelFor(act("pin"), levels)).toBe(50);
  expect(levelFor(act("send"), levels)).toBe(0);
});

test("what is written makes the act need the level", () => {
  for (const one of ACTS as readonly Act[]) {
    const { requirements, events } = changeFor(one, 75);
    expect(levelFor(one, readPowerLevels(undefined, { ...requirements, events }))).toBe(75);
  }
});
