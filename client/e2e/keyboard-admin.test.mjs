// The administration without a mouse: each page, the drawers beside its lists, and what is done from there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyboard } from "./lib/keyboard.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();

/** An administrator on a page of the administration, who has no mouse. */
async function administrator(name) {
  const person = await world.person(name, { admin: true });
  const keyboard = new Keyboard(person);
  const { page } = person;
  await keyboard.enter(page.getByRole("button", { name: "Administration" }));
  const pages = page.getByRole("navigation", { name: "Pages of the administration" });
  const goTo = async (title) => {
    await keyboard.enter(pages.getByRole("link", { name: title, exact: true }), { back: true });
    await page.getByRole("heading", { level: 2, name: title, exact: true }).waitFor();
  };
  /** Gives a reason in the question that is open. */
  const confirm = async (reason) => {
    const question = page.getByRole("dialog").or(page.getByRole("alertdialog"));
    await keyboard.isSoonAt(question.getByLabel("Reason"));
    await keyboard.write(reason);
    await keyboard.press("Enter");
    await question.waitFor({ state: "detached" });
  };
  return { person, keyboard, page, goTo, confirm };
}

test("an account is found, locked, given a password, and its drawer closes behind one", async () => {
  const { person, keyboard, page, goTo, confirm } = await administrator("root");
  const victim = await world.account("victim");
  await goTo("People");
  const search = page.getByRole("searchbox", { name: "Search by name or ID" });
  await keyboard.fill(search, "victim");
  const opener = page.getByRole("table").getByRole("button", { name: /victim/ });
  await page.getByRole("table").getByRole("button", { name: "root" }).waitFor({ state: "detached" });
  await keyboard.enter(opener);
  const drawer = page.getByRole("complementary").filter({ hasText: victim.userId });
  await keyboard.isSoonAt(drawer);
  await keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await keyboard.isSoonAt(opener);
  await keyboard.press("Enter");
  await keyboard.enter(drawer.getByRole("button", { name: "Lock", exact: true }));
  await confirm("left the company");
  await drawer.getByText("Locked", { exact: true }).waitFor();
  await keyboard.isSoonAt(drawer.getByRole("button", { name: "Unlock", exact: true }));
  await keyboard.press("Enter");
  await confirm("came back");

  const reset = drawer.getByRole("button", { name: "Set password" });
  await keyboard.enter(reset);
  const question = page.getByRole("dialog", { name: /^New password for/ });
  await keyboard.isSoonAt(question.getByLabel("Password"));
  await keyboard.write("a new and long password");
  await keyboard.press("Enter");
  await question.waitFor({ state: "detached" });
  await keyboard.isSoonAt(reset);
  const other = await world.visitor({ ...victim, password: "a new and long password" });
  await other.signIn();
  await other.context.close();
  await keyboard.enter(drawer.getByRole("button", { name: "Close" }), { back: true });
  await drawer.waitFor({ state: "detached" });
  await keyboard.isSoonAt(opener);

  await keyboard.enter(page.getByRole("button", { name: "New account" }), { back: true });
  const form = page.getByRole("dialog", { name: "New account" });
  await keyboard.isSoonAt(form.getByLabel("User name"));
  await keyboard.write("newcomer");
  await keyboard.fill(form.getByLabel("Password"), "a long enough password");
  await keyboard.press("Enter");
  await form.waitFor({ state: "detached" });
  await keyboard.isSoonAt(page.getByRole("button", { name: "New account" }));
  assert.deepEqual(person.complaints, []);
});

test("a channel is deleted, a file put away, a report closed, and the log tells of it", async () => {
  const { person, keyboard, page, goTo, confirm } = await administrator("chief");
  const member = await world.visitor(await world.account("member"));
  const rubbish = await member.createRoom({ name: "rubbish" });
  for (const reason of ["first", "second"])
    await person.call("POST", `users/${encodeURIComponent(member.userId)}/report`, { reason });

  await goTo("Channels");
  const room = page.getByRole("table").getByRole("button", { name: /rubbish/ });
  await keyboard.enter(room);
  const drawer = page.getByRole("complementary").filter({ hasText: rubbish });
  await keyboard.isSoonAt(drawer);
  await keyboard.enter(drawer.getByRole("button", { name: "Block", exact: true }));
  await confirm("not now");
  await keyboard.isSoonAt(drawer.getByRole("button", { name: "Unblock", exact: true }));
  await keyboard.enter(drawer.getByRole("button", { name: "Delete", exact: true }));
  await confirm("nobody needs it");
  await drawer.waitFor({ state: "detached" });
  await keyboard.isSoonAt(room);

  await goTo("Reports");
  const done = page.getByRole("row").getByRole("button", { name: "Done", exact: true });
  await keyboard.enter(done.first());
  await confirm("talked to them");
  await done.nth(1).waitFor({ state: "detached" });
  await keyboard.isSoonAt(done);
  await keyboard.press("Enter");
  await confirm("again");
  await page.getByText("Nothing was reported").waitFor();
  await keyboard.isSeen("after the last report is closed");

  await goTo("Partners");
  await goTo("Files");
  const purge = page.getByRole("button", { name: "Clean up" });
  await keyboard.enter(purge);
  const question = page.getByRole("alertdialog");
  await keyboard.isSoonAt(question.getByLabel("Not opened for how many days"));
  await keyboard.write("30");
  await keyboard.press("Enter");
  await question.waitFor({ state: "detached" });
  await keyboard.isSoonAt(purge);

  await goTo("Directory");
  await goTo("Applications");
  await goTo("Audit log");
  await page.getByRole("cell", { name: "nobody needs it" }).waitFor();
  const [log] = await Promise.all([
    page.waitForEvent("download"),
    keyboard.choose(page.getByRole("button", { name: "Export" }), "CSV"),
  ]);
  assert.match(log.suggestedFilename(), /^audit-.*\.csv$/);
  await keyboard.isSoonAt(page.getByRole("button", { name: "Export" }));
  await goTo("Overview");
  assert.deepEqual(person.complaints, []);
});
