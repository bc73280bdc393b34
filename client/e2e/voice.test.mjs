// Voice channels: who is inside, hearing and seeing each other, and what becomes of those who leave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Voice } from "./lib/voice.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests({ calls: true });

test("people join a voice channel with one click, hear and see each other, and are seen by who is outside", async () => {
  const [anna, ben, cleo] = await Promise.all(
    ["anna", "ben", "cleo"].map((name) => Voice.signIn(world, name)),
  );
  const roomId = await Voice.channel(anna, { name: "Standup", members: [ben, cleo] });
  const [a, b, c] = [anna, ben, cleo].map((person) => new Voice(person, "Standup"));
  await Promise.all([a, b, c].map((voice) => voice.seesChannel()));

  await a.join();
  await b.join();
  // Cleo has not joined: the list below the channel is for everybody.
  await c.lists(["anna", "ben"]);
  await Promise.all([a.hears(), b.hears()]);
  assert.ok(roomId);
  assert.deepEqual(
    [anna, ben, cleo].flatMap(({ complaints }) => complaints),
    [],
  );
});
