// The settings of a channel and of a server without a mouse: names, roles, bans, addresses, webhooks, and the way back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { Keyboard } from "./lib/keyboard.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();

/** Goes to a page of the settings that are open; the list of pages is one stop, in which arrows move. */
async function goTo({ keyboard, settings }, name) {
  const selected = settings.getByRole("tab", { selected: true });
  await keyboard.to(selected, { back: true });
  const wanted = settings.getByRole("tab", { name });
  for (let tries = 0; !(await keyboard.isAt(wanted)); tries++) {
    assert.ok(tries < 10, `the arrows come to ${name}`);
    await keyboard.press("ArrowDown");
  }
  await settings.getByRole("tabpanel", { name }).waitFor();
}

const stateOf = (person, roomId, type) =>
  person.call("GET", ["rooms", roomId, "state", type].map(encodeURIComponent).join("/"));

test("a channel gets its name, its roles, its address and its webhook", async () => {
  const anna = await world.person("anna");
  const ben = await world.visitor(await world.account("ben"));
  const { page } = anna;
  const roomId = await anna.createRoom({ name: "quay", members: [ben] });
  await anna.open(roomId);
  const keyboard = new Keyboard(anna);
  const menu = page.getByRole("main").getByRole("button", { name: "Menu of quay" });
  await keyboard.choose(menu, "Settings");
  const settings = page.getByRole("dialog", { name: "Settings of quay" });
  await settings.waitFor();
  const scene = { keyboard, settings };

  await keyboard.fill(settings.getByRole("textbox", { name: "Name", exact: true }), "north quay");
  await keyboard.press("Enter");
  await until("the channel is renamed", async () => {
    const { name } = await stateOf(anna, roomId, "m.room.name");
    return name === "north quay";
  });
  const renamed = page.getByRole("dialog", { name: "Settings of north quay" });
  await renamed.waitFor();
  scene.settings = renamed;
  await keyboard.fill(renamed.getByRole("textbox", { name: "Topic" }), "Where ships lie");
  await keyboard.enter(renamed.getByRole("button", { name: "Save" }));
  await until("it has a topic", async () => {
    const { topic } = await stateOf(anna, roomId, "m.room.topic");
    return topic === "Where ships lie";
  });
  await renamed.getByRole("button", { name: "Save", disabled: true }).waitFor();
  await keyboard.isSoonAt(renamed.getByRole("textbox", { name: "Topic" }));

  await goTo(scene, "Access");
  await keyboard.to(renamed.getByRole("radio", { name: /^Only invited people/ }));
  await keyboard.press("ArrowDown");
  await until("people may ask", async () => {
    const { join_rule: rule } = await stateOf(anna, roomId, "m.room.join_rules");
    return rule === "knock";
  });
  await keyboard.isSoonAt(renamed.getByRole("radio", { name: /^Who asks/ }));
  await keyboard.choose(
    renamed.getByRole("button", { name: /Who may read older messages$/ }),
    "Members, since they joined",
  );
  await until("newcomers read nothing old", async () => {
    const { history_visibility: seen } = await stateOf(anna, roomId, "m.room.history_visibility");
    return seen === "joined";
  });

  await goTo(scene, "Roles");
  const role = renamed.getByRole("button", { name: /Role of ben$/ });
  await keyboard.choose(role, "Moderator");
  await until("ben is a moderator", async () => {
    const { users } = await stateOf(anna, roomId, "m.room.power_levels");
    return users[ben.userId] === 50;
  });
  await keyboard.isSoonAt(role);
  await keyboard.fill(renamed.getByRole("textbox", { name: "Name of the role" }), "Pilot");
  await keyboard.press("Enter");
  await until("the role has a name", async () => {
    const name = renamed.getByRole("textbox", { name: "Name of the role" });
    return (await name.inputValue()) === "";
  });
  await keyboard.isSeen("after the role was named");

  await goTo(scene, "Addresses");
  const address = renamed.getByRole("textbox", { name: "New address" });
  for (const name of ["quay", "pier", "dock"]) {
    await keyboard.fill(address, name);
    await keyboard.press("Enter");
    await renamed.getByRole("button", { name: `Remove #${name}:${world.homeserver.name}` }).waitFor();
    await keyboard.isSoonAt(address);
  }
  const remove = (name) => renamed.getByRole("button", { name: `Remove #${name}:${world.homeserver.name}` });
  const order = await renamed
    .getByRole("button", { name: /^Remove #/ })
    .evaluateAll((all) => all.map((button) => /#(\w+):/.exec(button.getAttribute("aria-label"))[1]));
  await keyboard.enter(remove(order[1]), { back: true });
  await remove(order[1]).waitFor({ state: "detached" });
  await keyboard.isSoonAt(remove(order[2]));

  await goTo(scene, "Integrations");
  const add = renamed.getByRole("button", { name: "New incoming webhook" });
  await keyboard.enter(add);
  const form = page.getByRole("dialog", { name: "New incoming webhook" });
  await keyboard.isSoonAt(form.getByLabel("Name", { exact: true }));
  await keyboard.write("Lighthouse");
  await keyboard.press("Enter");
  const ready = page.getByRole("dialog", { name: "Lighthouse is ready" });
  await ready.waitFor();
  await keyboard.press("Enter");
  await ready.waitFor({ state: "detached" });
  await keyboard.isSoonAt(add);
  await keyboard.choose(renamed.getByRole("button", { name: "More about Lighthouse" }), "Delete");
  const question = page.getByRole("alertdialog");
  await keyboard.enter(question.getByRole("button", { name: "Delete" }));
  await renamed.getByRole("listitem", { name: "Lighthouse" }).waitFor({ state: "detached" });
  await keyboard.isSeen("after the row was deleted");

  await keyboard.press("Escape");
  await renamed.waitFor({ state: "detached" });
  await keyboard.isSoonAt(page.getByRole("main").getByRole("button", { name: "Menu of north quay" }));
  assert.deepEqual(anna.complaints, []);
});

test("somebody is banned and let in again, and a server gets a channel", async () => {
  const cleo = await world.person("cleo");
  const [dan, eve] = await Promise.all(
    ["dan", "eve"].map(async (name) => world.visitor(await world.account(name))),
  );
  const { page } = cleo;
  const roomId = await cleo.createRoom({ name: "lock", members: [dan, eve] });
  await cleo.createSpace("Harbour", [roomId]);
  await cleo.open(roomId);
  const keyboard = new Keyboard(cleo);
  await keyboard.to(page.getByRole("button", { name: "Members", exact: true }));
  const panel = page.getByRole("complementary", { name: "Members" });
  if (!(await panel.isVisible())) await keyboard.press("Enter");
  for (const name of ["dan", "eve"]) {
    await keyboard.enter(panel.getByRole("button", { name: new RegExp(`^${name}`) }));
    const card = page.getByRole("dialog", { name: "Profile" });
    await keyboard.choose(card.getByRole("button", { name: "More actions" }), "Ban from the channel");
    const question = page.getByRole("alertdialog");
    await keyboard.isSoonAt(question.getByRole("textbox"));
    await keyboard.write("sank a ship");
    await keyboard.press("Enter");
    await question.waitFor({ state: "detached" });
    await panel.getByRole("button", { name: new RegExp(`^${name}`) }).waitFor({ state: "detached" });
    await keyboard.isSeen("after the member is gone");
  }
  await keyboard.choose(page.getByRole("main").getByRole("button", { name: "Menu of lock" }), "Settings", {
    back: true,
  });
  const settings = page.getByRole("dialog", { name: "Settings of lock" });
  await settings.waitFor();
  await goTo({ keyboard, settings }, "Banned people");
  const lift = (name) => settings.getByRole("button", { name: `Lift the ban of ${name}` });
  await keyboard.enter(lift("dan"));
  await lift("dan").waitFor({ state: "detached" });
  await keyboard.isSoonAt(lift("eve"));
  await keyboard.press("Enter");
  await settings.getByText("Nobody is banned here.").waitFor();
  await keyboard.isSeen("after the last row is gone");
  await keyboard.press("Escape");
  await settings.waitFor({ state: "detached" });

  await keyboard.press("Shift+F6");
  await keyboard.choose(
    page.getByRole("navigation", { name: "Channels" }).getByRole("button", { name: "Harbour" }),
    "Create channel",
    {
      back: true,
    },
  );
  const form = page.getByRole("dialog", { name: /Create channel/ });
  await keyboard.fill(form.getByRole("textbox", { name: "Name" }), "bollards");
  await keyboard.press("Enter");
  await form.waitFor({ state: "detached" });
  await page.getByRole("navigation", { name: "Channels" }).getByRole("link", { name: "bollards" }).waitFor();
  await keyboard.isSeen("after the channel was made");
  assert.deepEqual(cleo.complaints, []);
});
