// Programs and the directory: webhooks into a channel and out of it, tokens and bots, what administrators see of all of
// them, and of the company's directory.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, temporaryFolder } from "../../tests/clients/lib/processes.mjs";
import { until } from "../../tests/clients/lib/until.mjs";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

const group = (name) => `cn=${name},ou=groups,dc=nordlicht,dc=example`;
const registration = join(temporaryFolder("echorift-registrations"), "bridge.yaml");
const REGISTRATION = {
  id: "bridge",
  // Nobody answers there.
  url: `http://127.0.0.1:${await freePort()}`,
  as_token: "what the bridge shows",
  hs_token: "what the server shows",
  sender_localpart: "bridgebot",
  namespaces: { users: [{ exclusive: false, regex: "@.*:nordlicht\\.example" }], aliases: [], rooms: [] },
};
// YAML holds JSON.
writeFileSync(registration, JSON.stringify(REGISTRATION));

const world = World.forTests({
  settings: {
    webhooks: { allow_http: true },
    outbound: { allowed_ip_ranges: ["127.0.0.0/8"] },
    application_services: { files: [registration] },
  },
  directory: {
    sync: true,
    mapping: [
      { group: group("everyone"), channel: "#all", create: true, name: "All of us" },
      { group: group("sales"), channel: ["#sales"], create: true, name: "Sales" },
      { group: group("management"), channel: "#board" },
    ],
  },
});

test("a channel's keeper lets programs write into it and hear it", async (t) => {
  const kim = await world.person("kim");
  const { page } = kim;
  const roomId = await kim.createRoom({ name: "builds" });
  await kim.open(roomId);
  const settings = await openIntegrations(kim, "builds");

  await settings.getByRole("button", { name: "New incoming webhook" }).click();
  await dialog(kim, "New incoming webhook").getByLabel("Name", { exact: true }).fill("Build server");
  await dialog(kim, "New incoming webhook").getByRole("button", { name: "Make webhook" }).click();
  const ready = dialog(kim, "Build server is ready");
  const address = await ready.getByRole("status", { name: "Address to post to" }).textContent();
  await inBothThemes(page, "the address of a webhook");
  await ready.getByRole("button", { name: "Done" }).click();
  const posted = await postJson(address, { text: "*Build 7* <https://ci.example/7|failed>" });
  assert.equal(posted, 200);

  await settings.getByRole("button", { name: "New outgoing webhook" }).click();
  const form = dialog(kim, "New outgoing webhook");
  await form.getByLabel("Name", { exact: true }).fill("Tickets");
  await form.getByLabel("Address").fill("http://10.1.2.3/hook");
  await form.getByLabel("Only with one of these words").fill("!ticket");
  await form.getByRole("button", { name: "Make webhook" }).click();
  await form
    .getByRole("alert")
    .filter({ hasText: "have to be allowed by the server’s administrators" })
    .waitFor();
  const listener = await listen();
  t.after(listener.close);
  await form.getByLabel("Address").fill(listener.url);
  await form.getByRole("button", { name: "Make webhook" }).click();
  await dialog(kim, "Tickets is ready").getByRole("status", { name: "Key of signatures" }).waitFor();
  await page.keyboard.press("Escape");
  await settings.getByRole("listitem", { name: "Tickets" }).getByText("Works").waitFor();
  // The focus is where it was, so that the keyboard goes on.
  await inBothThemes(page, "the webhooks of a channel");
  await page.keyboard.press("Escape");

  await kim.message("Build 7 failed").filter({ hasText: "Build server" }).waitFor();
  await kim.say("!ticket the printer is on fire");
  const delivery = await listener.next();
  assert.equal(delivery.text, "!ticket the printer is on fire");
  assert.equal(delivery.sender.user_id, kim.userId);

  const again = await openIntegrations(kim, "builds");
  const row = again.getByRole("listitem", { name: "Build server" });
  await choose(row, page, "Turn off");
  await row.getByText("Off", { exact: true }).waitFor();
  assert.equal(await postJson(address, { text: "too late" }), 403);
  await choose(row, page, "Turn on");
  await row.getByText("Works").waitFor();
  await choose(row, page, "New secret");
  await page
    .getByRole("alertdialog", { name: "A new secret for Build server?" })
    .getByRole("button", { name: "New secret" })
    .click();
  const renewed = dialog(kim, "Build server is ready");
  const next = await renewed.getByRole("status", { name: "Address to post to" }).textContent();
  await renewed.getByRole("button", { name: "Done" }).click();
  assert.equal(await postJson(address, { text: "by the old address" }), 404);
  assert.equal(await postJson(next, { text: "by the new address" }), 200);
  await choose(row, page, "Delete");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal(await postJson(next, { text: "by none" }), 404);

  // Of a target that is gone people read a sentence; what the machine said stands behind it.
  listener.close();
  const tickets = again.getByRole("listitem", { name: "Tickets" });
  await choose(tickets, page, "Send a test");
  await tickets.getByText("Nothing answers at this address.").waitFor();
  await tickets.getByText("What the machine said").click();
  await tickets.getByText(/Connection refused/).waitFor();
  assert.deepEqual(kim.complaints, []);
});

test("an encrypted channel says why no program writes into it, and who keeps nothing sees no webhooks", async () => {
  const ada = await world.person("ada");
  const bo = await world.visitor(await world.account("bo"));
  await ada.open(await ada.createRoom({ name: "secrets", members: [bo], isEncrypted: true }));
  const settings = await openIntegrations(ada, "secrets");
  await settings.getByText("a webhook holds no keys: it cannot write here").waitFor();
  assert.equal(await settings.getByRole("button", { name: "New incoming webhook" }).count(), 0);
  await bo.signIn();
  await openSettings(bo, "secrets");
  await dialog(bo, "Settings of secrets").getByRole("tab", { name: "Roles" }).waitFor();
  assert.equal(await bo.page.getByRole("tab", { name: "Integrations" }).count(), 0);
  await ada.context.close();
  await bo.context.close();
});

test("Escape closes the window on top, also in the moment when nothing has the focus", async () => {
  const lou = await world.person("lou");
  await lou.open(await lou.createRoom({ name: "quick" }));
  const settings = await openIntegrations(lou, "quick");
  await settings.getByRole("button", { name: "New incoming webhook" }).click();
  const form = dialog(lou, "New incoming webhook");
  await form.waitFor();
  await lou.page.evaluate(escapeWithoutFocus);
  await form.waitFor({ state: "detached" });
  await settings.waitFor();
  await lou.page.evaluate(escapeWithoutFocus);
  await settings.waitFor({ state: "detached" });
  assert.deepEqual(lou.complaints, []);
});

test("a token does what it was made for and nothing else, until it is revoked", async () => {
  const tom = await world.person("tom");
  const { page } = tom;
  const [here, there] = [
    await tom.createRoom({ name: "reports" }),
    await tom.createRoom({ name: "elsewhere" }),
  ];
  await page.goto(`${world.origin}/settings/tokens`);
  await page.getByRole("button", { name: "New token", exact: true }).click();
  const form = dialog(tom, "New token");
  await form.getByLabel("Name", { exact: true }).fill("nightly report");
  await form.getByText("Only some channels").click();
  await form.getByRole("option", { name: /reports/ }).click();
  await form.getByRole("button", { name: "Remove reports" }).waitFor();
  await inBothThemes(page, "the form of a token");
  await form.getByRole("button", { name: "Make token" }).click();
  const ready = dialog(tom, "nightly report is ready");
  const token = await ready.getByRole("status", { name: "Access token" }).textContent();
  await ready.getByRole("button", { name: "Done" }).click();

  const read = (roomId) => statusOf(token, "GET", `rooms/${encodeURIComponent(roomId)}/messages?dir=b`);
  assert.equal(await read(here), 200);
  assert.equal(await read(there), 403);
  const sending = `rooms/${encodeURIComponent(here)}/send/m.room.message/1`;
  assert.equal(await statusOf(token, "PUT", sending, { msgtype: "m.text", body: "not mine to say" }), 403);

  await page.getByRole("button", { name: "New bot" }).click();
  await dialog(tom, "New bot").getByLabel("Name", { exact: true }).fill("Helper");
  await dialog(tom, "New bot").getByLabel("User name").fill("helper");
  await dialog(tom, "New bot").getByRole("button", { name: "Make bot" }).click();
  await page.getByRole("region", { name: "Helper" }).getByText("It has no token yet").waitFor();
  await inBothThemes(page, "tokens and bots");

  const row = page.getByRole("listitem", { name: "nightly report" });
  await row.getByText("1 channel").waitFor();
  await row.getByRole("button", { name: "Revoke nightly report" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal(await read(here), 401);
  assert.deepEqual(tom.complaints, []);
});

test("an administrator sees what programs do, and turns a webhook off", async () => {
  const chief = await world.person("chief", { admin: true });
  const { page } = chief;
  const roomId = await chief.createRoom({ name: "alerts" });
  await world.homeserver.call("POST", `/_echorift/v1/rooms/${encodeURIComponent(roomId)}/hooks`, {
    account: chief.account,
    body: { direction: "incoming", name: "Smoke detector" },
  });
  await world.homeserver.call("POST", "/_echorift/v1/bots", {
    account: chief.account,
    body: { localpart: "watchman", display_name: "Watchman" },
  });
  await page.goto(`${world.origin}/admin/applications`);
  await page.getByRole("row", { name: /^bridge Fails [1-9]/ }).waitFor();
  await page.getByRole("button", { name: "bridge" }).click();
  const bridge = page.getByRole("complementary", { name: "bridge" });
  await bridge.getByText("@bridgebot:nordlicht.example").waitFor();
  await inBothThemes(page, "application services");

  writeFileSync(registration, JSON.stringify({ ...REGISTRATION, url: "nowhere" }));
  await page.getByRole("button", { name: "Read registrations again" }).click();
  await page.getByRole("alert").filter({ hasText: "the registrations have faults" }).waitFor();
  writeFileSync(registration, JSON.stringify(REGISTRATION));

  await page.getByText("Webhooks", { exact: true }).click();
  await page.getByRole("button", { name: "Smoke detector" }).click();
  const hook = page.getByRole("complementary", { name: "Smoke detector" });
  await hook.getByRole("button", { name: "Turn off" }).click();
  const question = page.getByRole("alertdialog");
  await question.getByLabel("Reason").fill("false alarms");
  await question.getByRole("button", { name: "Turn off" }).click();
  await hook.getByRole("button", { name: "Turn on" }).waitFor();
  await inBothThemes(page, "webhooks of the server");
  await page.getByText("Bots", { exact: true }).click();
  await page.getByRole("row", { name: /Watchman.*@chief:/ }).waitFor();
  await page.goto(`${world.origin}/admin/audit`);
  await page.getByRole("cell", { name: "false alarms" }).waitFor();
  assert.deepEqual(chief.complaints, []);
});

test("a channel and people's cards tell whom the company's directory brought there", async () => {
  const anna = await employee("anna.weber", "nordlicht-anna");
  const all = await roomOf(anna, "#all:nordlicht.example");
  const visitor = await world.visitor({ ...anna, username: "anna.weber", password: "nordlicht-anna" });
  await visitor.signIn();
  await visitor.open(all);
  const { page } = visitor;
  await page.getByRole("complementary", { name: "Members" }).getByRole("button", { name: /^Anna/ }).click();
  await dialog(visitor, "Profile").getByText("Here by the company’s group everyone").waitFor();
  await page.keyboard.press("Escape");
  await openSettings(visitor, "All of us");
  const settings = dialog(visitor, "Settings of All of us");
  await settings.getByRole("tab", { name: "Access" }).click();
  await settings.getByText(/^The company’s directory brings people here: everyone \(\d+\)\./).waitFor();
  await inBothThemes(page, "what the directory has to do with a channel");
  assert.deepEqual(visitor.complaints, []);
  await visitor.context.close();
});

test("an administrator looks at what the directory would do, and lets through what it was stopped for", async () => {
  const root = await world.person("root", { admin: true });
  const sofia = await employee("sofia.rossi", "nordlicht-sofia");
  const sales = await roomOf(sofia, "#sales:nordlicht.example");
  await world.homeserver.call("POST", `/_matrix/client/v3/rooms/${encodeURIComponent(sales)}/leave`, {
    account: sofia,
    body: {},
  });
  const { page } = root;
  await page.goto(`${world.origin}/admin/directory`);
  const mirroring = page.getByRole("region", { name: "Mirroring" });
  await mirroring.getByText("In step").waitFor();
  await page.getByRole("region", { name: "Main domain" }).getByText("Answers", { exact: true }).waitFor();
  await mirroring.getByRole("button", { name: "Sync now" }).click();
  const plan = page.getByRole("region", { name: "Dry run" });
  await plan.getByRole("button", { name: "Look first" }).click();
  await plan.getByRole("listitem").filter({ hasText: "#board:nordlicht.example" }).first().waitFor();
  const drift = page.getByRole("region", { name: "Changed by people" });
  await drift.getByRole("button", { name: "Compare" }).click();
  await drift.getByRole("listitem").filter({ hasText: "@sofia.rossi:nordlicht.example" }).waitFor();
  await inBothThemes(page, "the directory");

  const all = await roomOf(sofia, "#all:nordlicht.example");
  await world.changeDirectory(
    `dn: ${group("everyone")}\nchangetype: modify\nreplace: member\nmember: uid=anna.weber,ou=people,dc=nordlicht,dc=example\n`,
  );
  await mirroring.getByText(/^#all:nordlicht.example: \d people of \d would be removed\.$/).waitFor();
  await inBothThemes(page, "a directory that was stopped");
  await mirroring.getByRole("button", { name: "Approve once" }).click();
  const question = page.getByRole("alertdialog");
  await question.getByLabel("Reason").fill("we moved out");
  await question.getByRole("button", { name: "Approve once" }).click();
  await question.waitFor({ state: "detached" });
  await until(
    "who was in the group by mistake is out",
    async () => !(await joinedRooms(sofia)).includes(all),
  );
  await page.goto(`${world.origin}/admin/audit`);
  await page.getByRole("cell", { name: "we moved out" }).waitFor();
  assert.deepEqual(root.complaints, []);
});

// --- What the stories need ----------------------------------------------------------------------------------

const dialog = ({ page }, name) => page.getByRole("dialog", { name, exact: true });

async function openSettings({ page }, name) {
  const row = page.getByRole("navigation", { name: "Channels" }).getByRole("link", { name });
  await row.click({ button: "right" });
  await page.getByRole("menuitem", { name: /settings/i }).click();
}

async function openIntegrations(person, name) {
  await openSettings(person, name);
  const settings = dialog(person, `Settings of ${name}`);
  await settings.getByRole("tab", { name: "Integrations" }).click();
  await settings.getByRole("region", { name: "Into the channel" }).waitFor();
  return settings;
}

async function choose(row, page, entry) {
  await row.getByRole("button", { name: /^More about/ }).click();
  await page.getByRole("menuitem", { name: entry }).click();
}

async function postJson(address, body) {
  const headers = { "content-type": "application/json" };
  return (await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })).status;
}

async function statusOf(token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const request = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  return (await fetch(`${world.origin}/_matrix/client/v3/${path}`, request)).status;
}

/** Runs in the page: the key comes when what had the focus is gone, and before anything else gets it. */
function escapeWithoutFocus() {
  document.activeElement?.blur();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}

/** A target of outgoing webhooks, and what it was told. */
async function listen() {
  const deliveries = [];
  const waiting = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    response.end("{}");
    const delivery = JSON.parse(Buffer.concat(chunks).toString());
    const wait = waiting.shift();
    if (wait) wait(delivery);
    else deliveries.push(delivery);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    next: async () => deliveries.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Somebody of the directory, signed in without a browser. */
async function employee(user, password) {
  const body = { type: "m.login.password", identifier: { type: "m.id.user", user }, password };
  const answer = await world.homeserver.call("POST", "/_matrix/client/v3/login", { body });
  return { userId: answer.user_id, accessToken: answer.access_token };
}

async function joinedRooms(account) {
  return (await world.homeserver.call("GET", "/_matrix/client/v3/joined_rooms", { account })).joined_rooms;
}

/** The room of an address, once this account is in it. */
async function roomOf(account, alias) {
  const path = `/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`;
  return until(`${account.userId} is in ${alias}`, async () => {
    const found = await world.homeserver.call("GET", path, { account }).catch(() => undefined);
    return (await joinedRooms(account)).find((id) => id === found?.room_id);
  });
}

async function inBothThemes(page, name) {
  for (const theme of ["dark", "light"]) {
    await page.evaluate((wanted) => {
      document.documentElement.dataset.theme = wanted;
    }, theme);
    await assertAccessible(page, `${name}, ${theme}`);
  }
}
