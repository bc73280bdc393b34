// A channel that the whole company is in: its list of people, and its messages among many comings and goings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Reading } from "./lib/reading.mjs";
import { World } from "./lib/world.mjs";

const CHANGES = 700;
const AT_ONCE = 20;
/** Pages of history that are fetched unasked before the newest messages of such a channel can be read. */
const PAGES_MAX = 5;
const MEMBERS = 300;
/** Rows of people in the document, whatever was scrolled through. */
const PEOPLE_ROWS_MAX = 60;

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

test("of a long list of people few rows exist, the keyboard goes through it, and a mention finds anybody", async () => {
  const kim = await world.person("kim");
  const roomId = await kim.createRoom({ name: "everybody", preset: "public_chat" });
  for (let made = 0; made < MEMBERS; made += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => {
        const account = await world.account(`worker${made + index}`);
        const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`;
        await world.homeserver.call("POST", path, { account, body: {} });
      }),
    );
  }
  let lists = 0;
  kim.page.on("request", (request) => {
    if (/\/rooms\/[^/]+\/members/.test(request.url())) lists++;
  });
  await kim.open(roomId);
  const panel = kim.page.getByRole("complementary", { name: "Members" });
  await panel.getByRole("textbox", { name: "Find members" }).waitFor();
  const people = panel.locator("[data-member]");
  const isBounded = async () => assert.ok((await people.count()) < PEOPLE_ROWS_MAX);
  await isBounded();
  await people.first().focus();
  for (let step = 0; step < 80; step++) await kim.page.keyboard.press("ArrowDown");
  await kim.page.waitForFunction(() => document.activeElement?.hasAttribute("data-member"));
  await isBounded();
  await kim.page.keyboard.press("End");
  await panel
    .getByRole("button", { name: /^worker99/ })
    .and(kim.page.locator(":focus"))
    .waitFor();
  await isBounded();
  await kim.page.keyboard.press("Home");
  await panel.getByRole("button", { name: /^kim/ }).and(kim.page.locator(":focus")).waitFor();

  await kim.page.getByRole("textbox", { name: "Message #everybody" }).pressSequentially("@worker27");
  const found = kim.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await found.filter({ hasText: "@worker27:" }).first().waitFor();
  await kim.page.keyboard.press("Tab");
  await kim.page.waitForFunction(() => /^@\S*worker27\b/.test(document.querySelector("textarea").value));
  assert.equal(lists, 1);
  assert.deepEqual(kim.complaints, []);
});
