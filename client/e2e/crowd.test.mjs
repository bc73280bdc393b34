// A channel that the whole company is in: its messages among many comings and goings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Reading } from "./lib/reading.mjs";
import { World } from "./lib/world.mjs";

const CHANGES = 700;
const AT_ONCE = 20;
/** Pages of history that are fetched unasked before the newest messages of such a channel can be read. */
const PAGES_MAX = 5;

const world = World.forTests();

test("what is said after very many changes of a channel is on the screen, and what was said before them is a click away", async () => {
  const anna = await world.person("anna");
  const ben = await world.visitor(await world.account("ben"));
  const roomId = await anna.createRoom({ name: "company", members: [ben] });
  await anna.sendText(roomId, "said before everybody came");
  // Any change of a room will do: people who come would have to be made first.
  const path = ["rooms", roomId, "state", "m.room.topic"].map(encodeURIComponent).join("/");
  for (let made = 0; made < CHANGES; made += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        anna.call("PUT", path, { topic: `Topic ${made + index}` }),
      ),
    );
  }
  await ben.sendText(roomId, "Welcome, everybody");

  const reading = new Reading(anna.page);
  let pages = 0;
  anna.page.on("request", (request) => {
    if (/\/rooms\/[^/]+\/messages/.test(request.url())) pages++;
  });
  await anna.open(roomId);
  const older = anna.page.getByRole("button", { name: "Show older messages" });
  await older.waitFor();
  await anna.message("Welcome, everybody").waitFor();
  await ben.sendText(roomId, "The cake is in the kitchen");
  await anna.message("The cake is in the kitchen").waitFor();
  assert.ok(pages <= PAGES_MAX, `${pages} pages`);

  const before = anna.message("said before everybody came");
  while ((await before.count()) === 0) {
    if (await older.isVisible()) await older.click();
    await reading.frames();
  }
  await anna.page.getByText("This is where company begins").waitFor();
  for (const words of ["Welcome, everybody", "The cake is in the kitchen"])
    await anna.message(words).waitFor();
  assert.deepEqual(anna.complaints, []);
});
