// Servers, channels and what is unread in them, by two people at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

/** The lists of a page. */
const rail = ({ page }) => page.getByRole("navigation", { name: "Servers", exact: true });
const column = ({ page }) => page.getByRole("navigation", { name: "Channels", exact: true });
const channel = (person, name) => column(person).getByRole("link", { name });
const timeline = ({ page }) => page.getByRole("log", { name: "Messages" });
const menuItem = ({ page }, name) => page.getByRole("menuitem", { name });

/** The SDK says so of rooms that are new to it. */
const SDK_TALK = /unknown room/;
const assertQuiet = (person) =>
  assert.deepEqual(
    person.complaints.filter((complaint) => !SDK_TALK.test(complaint)),
    [],
  );

/** The room is open, its composer where the cursor goes. */
const isOpen = ({ page }, name) =>
  page
    .getByRole("main", { name })
    .getByRole("textbox", { name: /^Message / })
    .waitFor();

async function openServerMenu(person, server, entry) {
  await column(person).getByRole("button", { name: server, exact: true }).click();
  await menuItem(person, entry).click();
}

async function createChannel(person, { kind = "Text", name, isPrivate = false }) {
  const dialog = person.page.getByRole("dialog", { name: "Create channel" });
  await dialog.getByRole("radio", { name: kind }).check({ force: true });
  await dialog.getByRole("textbox", { name: "Name" }).fill(name);
  if (isPrivate) await dialog.getByRole("switch", { name: /Private channel/ }).check({ force: true });
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await isOpen(person, name);
}

test("a server with its channels is made, somebody is invited, joins and sees what is theirs", async () => {
  const anna = await world.person("anna");
  const ben = await world.person("ben");
  const { page } = anna;

  await rail(anna).getByRole("button", { name: "Add or join a server" }).click();
  const dialog = page.getByRole("dialog", { name: "Add or join a server" });
  await dialog.getByRole("textbox", { name: "Name" }).fill("Nordlicht");
  await dialog.getByRole("button", { name: "Create server" }).click();
  await channel(anna, "general").waitFor();
  await channel(anna, "Lounge").waitFor();

  await openServerMenu(anna, "Nordlicht", "Create category");
  const category = page.getByRole("dialog", { name: "Create category" });
  await category.getByRole("textbox", { name: "Name" }).fill("Engineering");
  await category.getByRole("button", { name: "Create", exact: true }).click();
  await category.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Create channel in Engineering" }).click();
  await createChannel(anna, { name: "release-train" });
  await openServerMenu(anna, "Nordlicht", "Create channel");
  await createChannel(anna, { name: "secret-plans", isPrivate: true });
  await openServerMenu(anna, "Nordlicht", "Create channel");
  await createChannel(anna, { kind: "Announcements", name: "news" });

  await openServerMenu(anna, "Nordlicht", "Invite people");
  const invite = page.getByRole("dialog", { name: /^Invite people/ });
  await invite.getByRole("searchbox", { name: "Find people" }).fill(ben.userId);
  await invite.getByRole("option", { name: /ben/ }).first().click();
  await invite.getByRole("button", { name: "Invite", exact: true }).click();
  await invite.waitFor({ state: "detached" });

  const invitation = ben.page.getByRole("article", { name: "Invitation to Nordlicht" });
  await invitation.getByText("anna invites you to the server Nordlicht").waitFor();
  await invitation.getByRole("button", { name: "Accept" }).click();
  for (const name of ["general", "release-train", "news"]) await channel(ben, name).waitFor();
  assert.equal(await column(ben).getByText("secret-plans").count(), 0);

  // Announcements are written by moderators alone.
  await channel(ben, "news").click();
  await timeline(ben).waitFor();

  // A role gives the right, and the other side follows at once.
  await channel(anna, "news").click({ button: "right" });
  await menuItem(anna, "Settings").click();
  const settings = page.getByRole("dialog", { name: "Settings of news" });
  await settings.getByRole("tab", { name: "Roles" }).click();
  await settings.getByRole("button", { name: /Role of ben/ }).click();
  await page.getByRole("option", { name: "Moderator" }).click();
  await settings.getByRole("button", { name: /Moderator.*Role of ben|Role of ben.*Moderator/ }).waitFor();
  await page.keyboard.press("Escape");
  await channel(ben, "news").click({ button: "right" });
  await menuItem(ben, "Invite people").waitFor();
  await ben.page.keyboard.press("Escape");
  assertQuiet(anna);
  assertQuiet(ben);
});

test("unread and mentions are marked on the row, the server and the title, and stay so after a reload", async () => {
  const cleo = await world.person("cleo");
  const dora = await world.person("dora");
  const general = await cleo.createRoom({ name: "general", members: [dora] });
  const incidents = await cleo.createRoom({ name: "incidents", members: [dora] });
  const ops = await cleo.createSpace("Ops", [incidents]);
  await cleo.createSpace("Company", [general, ops]);
  await cleo.createSpace("Library", []);
  await rail(cleo)
    .getByRole("button", { name: /^Company/ })
    .click();
  await timeline(cleo).waitFor();

  await dora.send(incidents, { msgtype: "m.text", body: "cleo?", "m.mentions": { user_ids: [cleo.userId] } });
  const marked = channel(cleo, /incidents.*1 mention/);
  await marked.waitFor();
  await rail(cleo).getByRole("button", { name: "Company, 1 mention" }).waitFor();
  await cleo.page.waitForFunction(() => document.title.startsWith("(1) general"));
  await cleo.page.reload();
  await marked.waitFor();

  // The inbox has it, and done is done.
  await channel(cleo, /^Inbox/).click();
  const waiting = cleo.page.getByRole("main", { name: "Inbox" }).getByRole("article");
  await waiting.filter({ hasText: "cleo?" }).waitFor();
  await waiting.getByRole("button", { name: "Done" }).click();
  await cleo.page.getByText("Nothing is waiting for you").waitFor();

  // Read from the menu, by keyboard.
  await marked.focus();
  await cleo.page.keyboard.press("Shift+F10");
  await menuItem(cleo, "Mark as read").click();
  await rail(cleo).getByRole("button", { name: "Company", exact: true }).waitFor();

  // Muted, it is silent.
  await channel(cleo, "incidents").click({ button: "right" });
  await menuItem(cleo, "Mute").click();
  await channel(cleo, /incidents.*Muted/).waitFor();

  // Or tells of mentions alone, by the keyboard.
  await channel(cleo, "incidents").focus();
  await cleo.page.keyboard.press("Shift+F10");
  await menuItem(cleo, "Notify me for …").press("ArrowRight");
  await menuItem(cleo, "Only mentions").press("Enter");
  await channel(cleo, /incidents.*Muted/).waitFor({ state: "detached" });
  const { global: rules } = await cleo.call("GET", "pushrules/");
  assert.ok(rules.room.some(({ rule_id: id, enabled }) => id === incidents && enabled));

  // Folded categories and the order of servers survive a reload.
  await column(cleo).getByRole("button", { name: "Ops", exact: true }).click();
  await channel(cleo, "incidents").waitFor({ state: "detached" });
  const servers = rail(cleo).getByRole("listitem").getByRole("button");
  const lower = await servers.last().getAttribute("aria-label");
  await servers.last().click({ button: "right" });
  await menuItem(cleo, "Move up").click();
  const upper = servers.first().and(cleo.page.getByRole("button", { name: lower }));
  await upper.waitFor();
  await cleo.page.reload();
  await upper.waitFor();
  await rail(cleo)
    .getByRole("button", { name: /^Company/ })
    .click();
  await column(cleo).getByRole("button", { name: "Ops", expanded: false }).waitFor();
  assert.equal(await channel(cleo, "incidents").count(), 0);

  // The bell of the channel says what was chosen for it.
  await cleo.open(incidents);
  await cleo.page.getByRole("button", { name: "Notifications: Only mentions" }).click();
  await cleo.page.getByRole("menuitemradio", { name: "Only mentions", checked: true }).waitFor();
  assertQuiet(cleo);
});

test("the switcher, the shortcuts and the directory lead everywhere by keyboard", async () => {
  const emil = await world.person("emil");
  const fay = await world.account("fay", { admin: true });
  const host = await world.visitor(fay);
  const { page } = emil;
  await emil.createRoom({ name: "handbook" });
  await host.createRoom({
    name: "Book club",
    preset: "public_chat",
    visibility: "public",
    room_alias_name: "books",
  });

  // What is there when the switcher opens is what it finds.
  await channel(emil, "handbook").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Jump to anything" }).waitFor();
  await page.keyboard.type("hndb");
  await page.getByRole("option", { name: /handbook/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("main", { name: "handbook" }).waitFor();
  await page.keyboard.press("Control+/");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Jump to anything").waitFor();
  await page.keyboard.press("Escape");

  await rail(emil).getByRole("button", { name: "Explore directory" }).click();
  await page.getByRole("searchbox", { name: "Search" }).fill("club");
  const card = page.getByRole("article", { name: "Book club" });
  await card.getByRole("button", { name: "Join" }).click();
  await page.getByRole("main", { name: "Book club" }).waitFor();

  // A link with an address leads to the same room.
  await page.goto(`${world.origin}/room/${encodeURIComponent(`#books:${world.homeserver.name}`)}`);
  await page.getByRole("main", { name: "Book club" }).waitFor();
  assertQuiet(emil);
});

test("on a phone one pane is shown at a time", async () => {
  const gus = await world.person("gus");
  const { page } = gus;
  await page.setViewportSize({ width: 390, height: 800 });
  const room = await gus.createRoom({ name: "town" });
  await gus.createSpace("Village", [room]);
  await page
    .getByRole("navigation", { name: "Main", exact: true })
    .getByRole("link", { name: "Servers" })
    .click();
  await rail(gus)
    .getByRole("button", { name: /^Village/ })
    .click();
  await channel(gus, "town").click();
  await timeline(gus).waitFor();
  assert.equal(await column(gus).isVisible(), false);
  const topOf = (part) => part.evaluate((element) => element.getBoundingClientRect().top);
  assert.equal(await topOf(page.getByRole("main")), 0, "the page begins at the edge of the screen");
  await page.getByRole("link", { name: "Back to the list" }).click();
  await channel(gus, "town").waitFor();
  const bar = page.getByRole("navigation", { name: "Main", exact: true });
  await bar.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("main", { name: "Inbox" }).waitFor();
  await bar.getByRole("link", { name: "Chat" }).click();
  await timeline(gus).waitFor();
  assertQuiet(gus);
});
