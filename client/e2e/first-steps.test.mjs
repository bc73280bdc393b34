// The thinnest story: sign in, see a channel, talk.

import { test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

test("two people sign in and talk in a channel", async () => {
  const anna = await world.person("anna");
  const ben = await world.person("ben");
  const roomId = await anna.createRoom({ name: "general", members: [ben] });
  await anna.open(roomId);
  await ben.open(roomId);
  await anna.say("Good morning");
  await ben.message("Good morning").waitFor();
});
