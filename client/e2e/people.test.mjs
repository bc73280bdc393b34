// People: who is there and in which role, what one can do with them, and how those with the right keep order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();

const members = (person) => person.page.getByRole("complementary", { name: "Members" });
const row = (person, name) => members(person).getByRole("button", { name: new RegExp(`^${name}`) });
const card = (person) => person.page.getByRole("dialog", { name: "Profile" });

async function openCard(person, name) {
  await row(person, name).click();
  await card(person).getByRole("heading", { name }).waitFor();
  return card(person);
}

async function choose(person, name, action) {
  await openCard(person, name);
  await card(person).getByRole("button", { name: "More actions" }).click();
  await person.page.getByRole("menuitem", { name: action }).click();
}

test("a server says how many of its people are there, also of those who come newly", async () => {
  const mia = await world.person("mia");
  const [sven, nele] = [await world.visitor(await world.account("sven")), await world.person("nele")];
  const roomId = await mia.createRoom({ name: "quay", members: [sven] });
  const serverId = await mia.createSpace("Harbour", [roomId], { members: [sven] });
  await mia.open(roomId);
  const online = (count) =>
    mia.page.getByRole("navigation", { name: /^Channels/ }).getByText(`${count} online`, { exact: true });
  await online(1).waitFor();
  await sven.signIn();
  await online(2).waitFor();
  // She is there already, and nobody of the server knew her before.
  await mia.call("POST", `rooms/${encodeURIComponent(serverId)}/invite`, { user_id: nele.userId });
  await nele.call("POST", `join/${encodeURIComponent(serverId)}`, {});
  await online(3).waitFor();
  await sven.page.goto(`${world.origin}/settings/profile`);
  await sven.page.getByText("Invisible", { exact: true }).click();
  await sven.page.getByRole("button", { name: "Set status" }).click();
  await online(2).waitFor();
});

test("the list shows roles and presence, and a card leads to a conversation", async () => {
  const anna = await world.person("anna");
  const ben = await world.person("ben");
  const roomId = await anna.createRoom({ name: "general", members: [ben] });
  await anna.open(roomId);
  await ben.open(roomId);
  await members(anna)
    .getByRole("heading", { name: /^Owner · 1/ })
    .waitFor();
  await members(anna)
    .getByRole("heading", { name: /^Member · 1/ })
    .waitFor();
  await row(anna, "ben, Online").waitFor();

  // Ben says that he is busy; Anna sees it.
  await ben.page.goto(`${world.origin}/settings/profile`);
  await ben.page.getByText("Do not disturb", { exact: true }).click();
  await ben.page.getByRole("textbox", { name: "What are you up to?" }).fill("Presenting");
  await ben.page.getByRole("button", { name: "Set status" }).click();
  await row(anna, "ben, Do not disturb").getByText("Presenting").waitFor();

  // His title and his clock are on his card.
  await ben.page.getByRole("textbox", { name: "Title" }).fill("Release lead");
  await ben.page.getByText("Show my local time").click();
  await ben.page.getByRole("button", { name: "Save", exact: true }).click();
  await ben.page.getByText("Saved", { exact: true }).waitFor();
  const phone = { "org.echorift.phone": "+49 (0)40 123-45" };
  await ben.call("PUT", `profile/${encodeURIComponent(ben.userId)}/org.echorift.phone`, phone);
  await openCard(anna, "ben");
  await card(anna).getByText("Release lead").waitFor();
  const call = card(anna).getByRole("link", { name: "Call +49 (0)40 123-45" });
  assert.equal(await call.getAttribute("href"), "tel:+494012345");
  await card(anna)
    .getByText(/local time/)
    .waitFor();
  await card(anna).getByText("1 shared channel").waitFor();
  for (const theme of ["dark", "light"]) {
    await anna.page.evaluate((wanted) => {
      document.documentElement.dataset.theme = wanted;
    }, theme);
    await assertAccessible(anna.page, `profile card, ${theme}`);
  }
  await card(anna).getByRole("button", { name: "Message" }).click();
  await card(anna).waitFor({ state: "detached" });
  await anna.say("A word between us");
  await anna.message("A word between us").waitFor();
  const directs = await anna.call("GET", `user/${encodeURIComponent(anna.userId)}/account_data/m.direct`);
  assert.equal(directs[ben.userId].length, 1);

  // Invisible is offline to others.
  await ben.page.goto(`${world.origin}/settings/profile`);
  await ben.page.getByText("Invisible", { exact: true }).click();
  await anna.open(roomId);
  await row(anna, "ben, Offline").waitFor();
  assert.deepEqual([...anna.complaints, ...ben.complaints], []);
});

test("roles are given and taken, and whoever has none sees no actions", async () => {
  const cleo = await world.person("cleo");
  const dora = await world.person("dora");
  const emil = await world.visitor(await world.account("emil"));
  const roomId = await cleo.createRoom({ name: "team", members: [dora, emil] });
  await dora.open(roomId);
  await openCard(dora, "emil");
  await card(dora).getByRole("button", { name: "More actions" }).click();
  assert.equal(await dora.page.getByRole("menuitem", { name: "Remove from the channel" }).count(), 0);
  await dora.page.keyboard.press("Escape");
  await dora.page.getByRole("menu").waitFor({ state: "detached" });
  await card(dora).press("Escape");
  await card(dora).waitFor({ state: "detached" });

  await cleo.open(roomId);
  await openCard(cleo, "dora");
  await card(cleo).getByRole("button", { name: /Role$/ }).click();
  await cleo.page.getByRole("option", { name: "Moderator" }).click();
  await members(dora)
    .getByRole("heading", { name: /^Moderator · 1/ })
    .waitFor();

  // Now Dora may remove somebody, with a reason that the server keeps.
  await choose(dora, "emil", "Remove from the channel");
  const dialog = dora.page.getByRole("alertdialog");
  await assertAccessible(dora.page, "asking for a reason");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("Wrong channel");
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await row(dora, "emil").waitFor({ state: "detached" });
  const kicked = await world.homeserver.state(cleo.account, roomId, "m.room.member", emil.userId);
  assert.deepEqual([kicked.membership, kicked.reason], ["leave", "Wrong channel"]);
  assert.deepEqual([...cleo.complaints, ...dora.complaints], []);
});

test("somebody is banned with all they wrote, and the log tells of it", async () => {
  const fay = await world.person("fay");
  const gus = await world.visitor(await world.account("gus"));
  const roomId = await fay.createRoom({ name: "open", members: [gus] });
  await fay.createSpace("Northwind Labs", [roomId]);
  for (const number of [1, 2, 3]) await gus.sendText(roomId, `Buy now ${number}`);
  await fay.open(roomId);
  await fay.message("Buy now 3").waitFor();
  await choose(fay, "gus", "Delete messages of the last 24 hours");
  const dialog = fay.page.getByRole("alertdialog");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("Advertising");
  await dialog.getByRole("button", { name: "Delete messages" }).click();
  await dialog.getByText("3 messages were deleted.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await fay.message("Buy now").waitFor({ state: "detached" });
  await choose(fay, "gus", "Ban from the channel");
  await dialog.getByRole("textbox", { name: "Reason" }).fill("Spreads advertising");
  await dialog.getByRole("button", { name: "Ban", exact: true }).click();
  await row(fay, "gus").waitFor({ state: "detached" });

  await fay.page.goto(`${world.origin}/settings/moderation`);
  const log = fay.page.getByRole("dialog", { name: "Settings" }).getByRole("listitem");
  await log.filter({ hasText: "fay banned gus" }).waitFor();
  assert.equal(await log.filter({ hasText: "fay deleted a message" }).count(), 3);
  await log.filter({ hasText: "Reason: Advertising" }).first().waitFor();
  await assertAccessible(fay.page, "moderation log");

  // The way back is in the channel's settings, with why and by whom.
  await fay.open(roomId);
  await fay.page.getByRole("button", { name: "Menu of open" }).click();
  await fay.page.getByRole("menuitem", { name: "Settings" }).click();
  const settings = fay.page.getByRole("dialog", { name: "Settings of open" });
  await settings.getByRole("tab", { name: "Banned people" }).click();
  const banned = settings.getByRole("article", { name: "gus" });
  await banned.getByText("Reason: Spreads advertising").waitFor();
  await banned.getByText(/Banned by fay/).waitFor();
  await assertAccessible(fay.page, "banned people");
  await banned.getByRole("button", { name: "Lift the ban of gus" }).click();
  await settings.getByText("Nobody is banned here.").waitFor();
  const { membership } = await world.homeserver.state(fay.account, roomId, "m.room.member", gus.userId);
  assert.equal(membership, "leave");
  assert.deepEqual(fay.complaints, []);
});

test("a person, a message and a channel are reported to the administrators, and the person ignored", async () => {
  const hana = await world.person("hana");
  const ivo = await world.visitor(await world.account("ivo"));
  const roomId = await hana.createRoom({ name: "lobby", members: [ivo] });
  await hana.open(roomId);
  await ivo.sendText(roomId, "Before");
  await hana.message("Before").waitFor();
  const report = async (path, { act, title, reason }) => {
    await act();
    const { page } = hana;
    const dialog = page
      .getByRole("dialog", { name: title })
      .or(page.getByRole("alertdialog", { name: title }));
    await dialog.getByRole("textbox").fill(reason);
    const [answer] = await Promise.all([
      hana.page.waitForResponse((response) => path.test(new URL(response.url()).pathname)),
      dialog.getByRole("button", { name: "Report" }).click(),
    ]);
    assert.equal(answer.status(), 200);
    await dialog.waitFor({ state: "detached" });
  };
  await report(/\/users\/[^/]+\/report$/, {
    act: () => choose(hana, "ivo", "Report to the administrators"),
    title: "Report a person",
    reason: "Insults everybody",
  });
  await report(/\/report\/[^/]+$/, {
    act: async () => {
      await hana.message("Before").hover();
      await hana.message("Before").getByRole("button", { name: "More", exact: true }).click();
      await hana.page.getByRole("menuitem", { name: "Report" }).click();
    },
    title: "Report this message?",
    reason: "Rude",
  });
  await report(/\/rooms\/[^/]+\/report$/, {
    act: async () => {
      const channels = hana.page.getByRole("navigation", { name: "Channels", exact: true });
      await channels.getByRole("link", { name: "lobby" }).click({ button: "right" });
      await hana.page.getByRole("menuitem", { name: "Report this channel" }).click();
    },
    title: "Report lobby",
    reason: "Nobody looks after it",
  });

  await choose(hana, "ivo", "Ignore");
  const ignored = () =>
    hana.call("GET", `user/${encodeURIComponent(hana.userId)}/account_data/m.ignored_user_list`);
  await until("the server knows whom Hana ignores", ignored, (list) => ivo.userId in list.ignored_users);
  await hana.page.keyboard.press("Escape");
  await row(hana, "ivo").getByText("Ignored by you").waitFor();
  await ivo.sendText(roomId, "Can you hear me?");
  await hana.say("Quiet here");
  await hana.message("Quiet here").waitFor();
  assert.equal(await hana.message("Can you hear me?").count(), 0);

  await hana.page.goto(`${world.origin}/settings/privacy`);
  await hana.page.getByRole("button", { name: "Stop ignoring" }).click();
  await until("nobody is ignored", ignored, (list) => Object.keys(list.ignored_users).length === 0);
  assert.deepEqual(hana.complaints, []);
});

test("who wrote long ago is called by name, where no list of members was opened", async () => {
  const otto = await world.visitor(await world.account("otto"));
  const paula = await world.visitor(await world.account("paula"));
  await otto.call("PUT", `profile/${encodeURIComponent(otto.userId)}/displayname`, {
    displayname: "Otto Lang",
  });
  const rosa = await world.person("rosa", { context: { viewport: { width: 1000, height: 700 } } });
  const roomId = await paula.createRoom({ name: "chronicle", members: [otto, rosa] });
  const root = await otto.sendText(roomId, "The first word");
  for (let number = 1; number <= 60; number++) await paula.sendText(roomId, `Word ${number}`);
  const answer = { rel_type: "m.thread", event_id: root, "m.in_reply_to": { event_id: root } };
  await paula.send(roomId, { msgtype: "m.text", body: "An answer", "m.relates_to": answer });
  // A page that was loaded anew knows of nobody but those who spoke lately.
  await rosa.page.reload();
  await rosa.open(roomId);
  await rosa.message("Word 60").waitFor();
  const log = rosa.page.getByRole("log", { name: "Messages", exact: true });
  const first = log.getByRole("article").filter({ hasText: "The first word" });
  await until(
    "the first message is there",
    async () => {
      await log.evaluate((element) => {
        element.scrollTop = -element.scrollHeight;
      });
      return first.count();
    },
    (count) => count === 1,
  );
  await log.getByRole("article", { name: /^Otto Lang, .*The first word/ }).waitFor();
  await rosa.page.goto(
    `${world.origin}/room/${encodeURIComponent(roomId)}?thread=${encodeURIComponent(root)}`,
  );
  await rosa.page
    .getByRole("log", { name: "Messages of the thread" })
    .getByRole("article", { name: /^Otto Lang, .*The first word/ })
    .waitFor();
  assert.deepEqual(rosa.complaints, []);
});
