// The settings without a mouse: each page and each form, from the way in to the way out.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { Keyboard } from "./lib/keyboard.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();

/** Somebody new with the settings open, who has no mouse from there on. */
async function settingsOf(name, page) {
  const person = await world.person(name);
  const keyboard = new Keyboard(person);
  const dialog = person.page.getByRole("dialog", { name: "Settings", exact: true });
  await keyboard.enter(person.page.getByRole("button", { name: "Settings", exact: true }));
  await dialog.waitFor();
  await keyboard.enter(dialog.getByRole("link", { name: page }));
  await dialog.getByRole("heading", { level: 1, name: page }).waitFor();
  return { person, keyboard, dialog, page: person.page };
}

test("a profile, a status, and back to where one came from", async () => {
  const { person, keyboard, dialog, page } = await settingsOf("anna", "Profile and status");
  await keyboard.fill(dialog.getByRole("textbox", { name: "Name" }), "Anna Petersen");
  await keyboard.press("Enter");
  await dialog.getByText("Saved").waitFor();
  await until("the server has the name", async () => {
    const { displayname } = await person.call("GET", `profile/${encodeURIComponent(person.userId)}`);
    return displayname === "Anna Petersen";
  });
  await keyboard.to(dialog.getByRole("radio", { name: "Online" }));
  await keyboard.press("ArrowRight");
  await keyboard.fill(dialog.getByRole("textbox", { name: "What are you up to?" }), "In the harbour");
  await keyboard.press("Enter");
  const clear = dialog.getByRole("button", { name: "Clear status" });
  await keyboard.enter(clear);
  await clear.waitFor({ state: "detached" });
  await keyboard.isSoonAt(dialog.getByRole("button", { name: "Set status" }));
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await keyboard.isSoonAt(page.getByRole("button", { name: "Settings", exact: true }));
  assert.deepEqual(person.complaints, []);
});

test("what is notified of, word by word and channel by channel", async () => {
  const { person, keyboard, dialog } = await settingsOf("ben", "Notifications");
  const rules = async () => (await person.call("GET", "pushrules/")).global;
  const directs = dialog.getByRole("switch", { name: "Direct messages" });
  await keyboard.space(directs);
  await until("direct messages notify no more", async () =>
    (await rules()).underride.some(
      ({ rule_id: id, enabled }) => id === ".m.rule.room_one_to_one" && !enabled,
    ),
  );
  await keyboard.isSoonAt(directs);

  const word = dialog.getByRole("textbox", { name: "Word" });
  const remove = (keyword) => dialog.getByRole("button", { name: `Remove ${keyword}` });
  await keyboard.to(word);
  for (const keyword of ["anchor", "buoy", "crane"]) {
    await keyboard.write(keyword);
    await keyboard.press("Enter");
    await remove(keyword).waitFor();
    await keyboard.isSoonAt(word);
  }
  await keyboard.enter(remove("buoy"));
  await remove("buoy").waitFor({ state: "detached" });
  // The last ones stand first.
  await keyboard.isSoonAt(remove("anchor"));
  await keyboard.press("Enter");
  await remove("anchor").waitFor({ state: "detached" });
  await keyboard.isSoonAt(remove("crane"));
  await keyboard.press("Enter");
  await remove("crane").waitFor({ state: "detached" });
  await keyboard.isSoonAt(dialog.getByRole("button", { name: "Add", exact: true }));

  const roomId = await person.createRoom({ name: "quay" });
  await person.createSpace("Harbour", [roomId]);
  const all = dialog.getByRole("button", { name: /All channels of this server$/ });
  await keyboard.choose(all, "Only mentions");
  await until("the channel has its own rule", async () => JSON.stringify(await rules()).includes(roomId));
  await keyboard.isSoonAt(all);
  await keyboard.choose(dialog.getByRole("button", { name: /quay$/ }), "Nothing");
  await until("the channel is silent", async () =>
    (await rules()).override.some(({ rule_id: id, actions }) => id === roomId && actions.length === 0),
  );
  await keyboard.space(dialog.getByRole("switch", { name: "Quiet hours", exact: true }));
  await keyboard.to(dialog.getByLabel("From"));
  assert.deepEqual(person.complaints, []);
});

test("a session is renamed and signed out, and all others after them", async () => {
  const { person, keyboard, dialog } = await settingsOf("cleo", "Sessions");
  const { username, password } = person.account;
  const list = dialog.getByRole("list", { name: "Your devices" });
  const signInElsewhere = async (name) => {
    const body = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: username },
      password,
      initial_device_display_name: name,
    };
    await person.call("POST", "login", body);
  };
  for (const name of ["Kitchen", "Bridge", "Cabin"]) await signInElsewhere(name);
  await keyboard.press("Escape");
  await keyboard.enter(person.page.getByRole("button", { name: "Settings", exact: true }));
  await keyboard.enter(dialog.getByRole("link", { name: "Sessions" }));
  const row = (name) => list.getByRole("listitem").filter({ hasText: name });
  const actions = (name) => row(name).getByRole("button", { name: `Actions for ${name}` });

  await keyboard.choose(actions("Kitchen"), "Rename");
  const field = list.getByRole("textbox", { name: "Name of this device" });
  await keyboard.isSoonAt(field);
  await keyboard.press("Escape");
  await field.waitFor({ state: "detached" });
  await keyboard.isSoonAt(actions("Kitchen"));
  await keyboard.press("Enter");
  await keyboard.take("Rename");
  await keyboard.isSoonAt(field);
  await keyboard.write("Galley");
  await keyboard.press("Enter");
  await row("Galley").waitFor();
  await keyboard.isSoonAt(actions("Galley"));

  await keyboard.choose(actions("Galley"), "Sign out");
  const who = person.page.getByRole("dialog", { name: "Is it you?" });
  await who.waitFor();
  await keyboard.isSoonAt(who.getByLabel("Password"));
  await keyboard.write(password);
  await keyboard.press("Enter");
  await row("Galley").waitFor({ state: "detached" });
  await keyboard.isSoonAt(list.locator("button:focus"), "the actions of a neighbour");

  const all = dialog.getByRole("button", { name: "Sign out all others" });
  await keyboard.enter(all);
  const question = person.page.getByRole("alertdialog");
  await question.waitFor();
  await keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  await keyboard.isSoonAt(all);
  await keyboard.press("Enter");
  await keyboard.enter(question.getByRole("button", { name: "Sign out all others" }));
  await who.waitFor();
  await keyboard.isSoonAt(who.getByLabel("Password"));
  await keyboard.write(password);
  await keyboard.press("Enter");
  await row("Cabin").waitFor({ state: "detached" });
  await all.waitFor({ state: "detached" });
  await keyboard.isSoonAt(list.locator("button:focus"), "the actions of the device that is left");
  // First the words beside the button go, then the settings.
  await keyboard.press("Escape", { times: 2 });
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(person.complaints, []);
});

test("the recovery key is saved, and keys leave in a file and come back", async () => {
  const { person, keyboard, dialog } = await settingsOf("dana", "Encryption");
  const { page } = person;
  const region = (name) => dialog.getByRole("region", { name });
  const opener = region("Recovery key").getByRole("button");
  await keyboard.enter(opener);
  const key = page.getByRole("dialog", { name: "Recovery key" });
  const make = key.getByRole("button", { name: /^Create/ });
  await key.getByRole("button", { name: /^(Create|Download)/ }).waitFor();
  if (await make.count()) await keyboard.enter(make);
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    keyboard.enter(key.getByRole("button", { name: "Download" })),
  ]);
  assert.match(await readFile(await saved.path(), "utf8"), /@dana/);
  await keyboard.enter(key.getByRole("button", { name: "I have saved it" }));
  await key.waitFor({ state: "detached" });
  await keyboard.isSoonAt(opener);

  const out = region("Keys as a file").getByRole("button", { name: "Save …" });
  await keyboard.enter(out);
  const save = page.getByRole("dialog", { name: "Save keys to a file" });
  await keyboard.fill(save.getByLabel("Passphrase", { exact: true }), "under the doormat");
  await keyboard.fill(save.getByLabel("Passphrase again"), "under the doormat");
  const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  await save.waitFor({ state: "detached" });
  await keyboard.isSoonAt(out);

  const back = region("Keys as a file").getByRole("button", { name: "Read …" });
  await keyboard.enter(back);
  const read = page.getByRole("dialog", { name: "Read keys from a file" });
  // The browser is told to hand the question over before it is asked.
  const asked = page.waitForEvent("filechooser");
  await keyboard.to(read.getByRole("button", { name: "Choose file" }));
  await page.keyboard.press("Enter");
  await (await asked).setFiles(await file.path());
  await keyboard.fill(read.getByLabel("Passphrase"), "under the doormat");
  await keyboard.press("Enter");
  await read.waitFor({ state: "detached" });
  await keyboard.isSoonAt(back);
  assert.deepEqual(person.complaints, []);
});

test("looks, a shortcut, the key to talk, and a file of one's own data", async () => {
  const { person, keyboard, dialog } = await settingsOf("emil", "Appearance");
  const { page } = person;
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const goTo = async (name) => {
    await keyboard.enter(dialog.getByRole("link", { name }), { back: true });
    await dialog.getByRole("heading", { level: 1, name }).waitFor();
  };
  await keyboard.to(dialog.getByRole("radio", { name: "As the system" }));
  await keyboard.press("ArrowRight", { times: 2 });
  await until("the theme is light", theme, (seen) => seen === "light");
  const language = dialog.getByRole("button", { name: /Language$/ });
  await keyboard.choose(language, "Deutsch");
  await keyboard.choose(page.getByRole("button", { name: /Sprache$/ }), "English");
  await language.waitFor();

  await goTo("Keyboard shortcuts");
  await keyboard.enter(dialog.getByRole("button", { name: /^Mute.*Change$/ }));
  await keyboard.press("Control+Alt+Y");
  const changed = dialog.getByRole("button", { name: /^Mute.*Ctrl Alt Y.*Change$/ });
  await keyboard.isSoonAt(changed);
  await keyboard.enter(dialog.getByRole("button", { name: "Reset all shortcuts" }));
  await changed.waitFor({ state: "detached" });
  await keyboard.isSeen("after the button that was pressed is gone");

  await goTo("Voice and video");
  const gain = dialog.getByRole("slider", { name: "Input volume" });
  await keyboard.to(gain);
  await keyboard.press("ArrowLeft", { times: 2 });
  assert.equal(await gain.inputValue(), "0.9");
  await keyboard.space(dialog.getByRole("switch", { name: /^Push to talk/ }));
  const key = dialog.getByRole("button", { name: "^ / `" });
  await keyboard.enter(key);
  await dialog.getByRole("button", { name: /^Press/ }).waitFor();
  await keyboard.press("Tab");
  await key.waitFor();
  await keyboard.enter(key, { back: true });
  await dialog.getByRole("button", { name: /^Press/ }).waitFor();
  await keyboard.press("F8");
  await keyboard.isSoonAt(dialog.getByRole("button", { name: "F8", exact: true }));

  await goTo("Export my data");
  const [account] = await Promise.all([
    page.waitForEvent("download"),
    keyboard.enter(
      dialog.getByRole("region", { name: "Everything" }).getByRole("button", { name: "Download" }),
    ),
  ]);
  assert.match(account.suggestedFilename(), /\.zip$/);
  await keyboard.isSoonAt(
    dialog.getByRole("region", { name: "Everything" }).getByRole("button", { name: "Download" }),
  );
  assert.deepEqual(person.complaints, []);
});

test("somebody is ignored no more, a token is made and withdrawn, and one signs out", async () => {
  const { person, keyboard, dialog } = await settingsOf("fred", "Privacy");
  const { page } = person;
  const ignored = ["@a:e.org", "@b:e.org"];
  await person.call("PUT", `user/${encodeURIComponent(person.userId)}/account_data/m.ignored_user_list`, {
    ignored_users: Object.fromEntries(ignored.map((userId) => [userId, {}])),
  });
  const row = (userId) => dialog.getByRole("listitem").filter({ hasText: userId });
  const stop = (userId) => row(userId).getByRole("button", { name: "Stop ignoring" });
  await keyboard.enter(stop(ignored[0]));
  await row(ignored[0]).waitFor({ state: "detached" });
  await keyboard.isSoonAt(stop(ignored[1]));
  await keyboard.press("Enter");
  await dialog.getByText("You ignore nobody.").waitFor();
  await keyboard.isSeen("after the last row is gone");

  await keyboard.enter(dialog.getByRole("link", { name: "Access tokens and bots" }), { back: true });
  const make = dialog.getByRole("button", { name: "New token", exact: true });
  for (const name of ["Crane", "Winch"]) {
    await keyboard.enter(make);
    const form = page.getByRole("dialog", { name: "New token" });
    await keyboard.isSoonAt(form.getByLabel("Name", { exact: true }));
    await keyboard.write(name);
    await keyboard.press("Enter");
    const ready = page.getByRole("dialog", { name: new RegExp(name) });
    await ready.waitFor();
    await keyboard.isSoonAt(ready.getByRole("button", { name: "Done" }));
    await keyboard.press("Enter");
    await ready.waitFor({ state: "detached" });
    await keyboard.isSoonAt(make);
  }
  const withdraw = (name) => dialog.getByRole("listitem", { name, exact: true }).getByRole("button");
  await keyboard.enter(withdraw("Crane"), { back: true });
  const question = page.getByRole("alertdialog");
  await keyboard.enter(question.getByRole("button").last());
  await dialog.getByRole("listitem", { name: "Crane", exact: true }).waitFor({ state: "detached" });
  await keyboard.isSoonAt(withdraw("Winch"));

  await keyboard.enter(dialog.getByRole("button", { name: "Sign out", exact: true }), { back: true });
  const leave = page.getByRole("alertdialog");
  await keyboard.enter(leave.getByRole("button", { name: "Cancel" }));
  await keyboard.isSoonAt(dialog.getByRole("button", { name: "Sign out", exact: true }));
  assert.deepEqual(person.complaints, []);
});
