// Without a network or a server: what is written waits, keeps its order, and arrives once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

/** What a room's people said, oldest first, once there are so many. */
async function said(person, roomId, count) {
  for (;;) {
    const path = `rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`;
    const { chunk } = await person.call("GET", path);
    const bodies = chunk.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);
    if (bodies.length >= count) return bodies.reverse();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("messages written while the server is dead arrive once and in order, across a reload", async () => {
  const anna = await world.person("anna");
  const roomId = await anna.createRoom({ name: "general" });
  await anna.open(roomId);
  // The worker keeps what a start needs; the second start is by it.
  await anna.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await anna.open(roomId);
  await anna.say("before");
  await said(anna, roomId, 1);

  await world.homeserver.kill();
  for (const text of ["one", "two", "three"]) await anna.say(text);
  await anna.message("three").waitFor();
  const away = anna.page.getByRole("status").filter({ hasText: "Offline – messages will be sent" });
  await away.getByRole("button", { name: "Retry now" }).waitFor();

  // The page goes and comes back without a server, and so does what was written.
  await anna.page.reload();
  await anna.message("three").waitFor();
  await anna.say("four");
  await anna.message("four").waitFor();

  await world.homeserver.restart();
  assert.deepEqual(await said(anna, roomId, 5), ["before", "one", "two", "three", "four"]);
  for (const text of ["one", "two", "three", "four"]) assert.equal(await anna.message(text).count(), 1);
  await away.waitFor({ state: "detached" });
});

test("without a network the client starts, and sends when it is back", async () => {
  const ben = await world.person("ben");
  const roomId = await ben.createRoom({ name: "side" });
  await ben.open(roomId);
  await ben.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await ben.open(roomId);
  await ben.context.setOffline(true);
  await ben.page.reload();
  await ben.page.getByRole("log").waitFor();
  await ben.say("from the tunnel");
  await ben.message("from the tunnel").waitFor();
  await ben.context.setOffline(false);
  assert.deepEqual(await said(ben, roomId, 1), ["from the tunnel"]);
});

test("what the server refuses stays with a way on, and holds up nothing behind it", async () => {
  const carl = await world.person("carl");
  const dora = await world.account("dora");
  const roomId = await carl.createRoom({ name: "strict", members: [await world.visitor(dora)] });
  await carl.open(roomId);
  await carl.page.route("**/send/m.room.message/**", async (route) => {
    if (route.request().postDataJSON().body !== "refused") return route.continue();
    await route.fulfill({ status: 403, json: { errcode: "M_FORBIDDEN", error: "Not this one." } });
  });
  await carl.say("refused");
  await carl.say("accepted");
  assert.deepEqual(await said(carl, roomId, 1), ["accepted"]);
});
