// The administration: each page against the real server, what it changes, what it writes down, and who stays outside.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();
const PAGES = {
  overview: "Overview",
  users: "People",
  rooms: "Channels",
  federation: "Partners",
  media: "Files",
  reports: "Reports",
  directory: "Directory",
  applications: "Applications",
  audit: "Audit log",
};

/** Goes to a page of the administration and waits for its name. */
async function visit({ page }, name) {
  await page.goto(`${world.origin}/admin/${name}`);
  await page.getByRole("heading", { level: 2, name: PAGES[name] }).waitFor();
}

/** Answers the question of a write. */
async function confirm({ page }, action, reason) {
  const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
  await dialog.getByLabel("Reason").fill(reason);
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

test("an administrator looks at every page", async () => {
  const root = await world.person("root", { admin: true });
  await root.page
    .getByRole("navigation", { name: "Servers" })
    .getByRole("button", { name: "Administration" })
    .click();
  await root.page.getByRole("heading", { level: 2, name: "Overview" }).waitFor();
  await root.page.getByText("Everything works.").waitFor();
  for (const name of Object.keys(PAGES)) {
    await visit(root, name);
    assert.equal(await root.page.getByRole("alert").count(), 0, `${name} is answered`);
  }
  assert.deepEqual(root.complaints, []);
  await root.context.close();
});

test("people are locked, made and signed out, with a line in the audit log for each", async () => {
  const chief = await world.person("chief", { admin: true });
  const victim = await world.person("victim");
  const { page } = chief;

  await visit(chief, "users");
  await page.getByRole("searchbox", { name: "Search by name or ID" }).fill("victim");
  await page
    .getByRole("button", { name: /victim/ })
    .first()
    .click();
  const drawer = page.getByRole("complementary").filter({ hasText: victim.userId });
  await drawer
    .getByRole("button", { name: /End the session/ })
    .first()
    .waitFor();
  await drawer.getByRole("button", { name: "Lock", exact: true }).click();
  await confirm(chief, "Lock", "left the company");
  await drawer.getByText("Locked", { exact: true }).waitFor();
  await assert.rejects(victim.call("GET", "account/whoami"), /M_USER_LOCKED/);
  await drawer.getByRole("button", { name: "Unlock", exact: true }).click();
  await confirm(chief, "Unlock", "came back");
  await drawer.getByRole("button", { name: "Sign out", exact: true }).click();
  await confirm(chief, "Sign out", "lost a laptop");
  await victim.page.getByLabel("User name").waitFor();

  await page.getByRole("button", { name: "New account" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("User name").fill("newcomer");
  await form.getByLabel("Password").fill("a long enough password");
  await form.getByRole("button", { name: "New account" }).click();
  await form.waitFor({ state: "detached" });
  const newcomer = await world.visitor({ username: "newcomer", password: "a long enough password" });
  await newcomer.signIn();
  await newcomer.context.close();

  await visit(chief, "audit");
  for (const action of ["user.lock", "user.unlock", "user.logout", "user.create"]) {
    await page.getByRole("cell", { name: action, exact: true }).first().waitFor();
  }
  await page.getByRole("cell", { name: "left the company" }).waitFor();
  await chief.context.close();
});

test("a channel is deleted after a look at what that does", async () => {
  const boss = await world.person("boss", { admin: true });
  const member = await world.person("member");
  const roomId = await member.createRoom({ name: "rubbish" });
  const { page } = boss;
  await visit(boss, "rooms");
  await page.getByRole("searchbox", { name: /^Search by name/ }).fill("rubbish");
  await page
    .getByRole("button", { name: /rubbish/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("1 member of ours is put out").waitFor();
  await confirm(boss, "Delete", "nobody needs it");
  await assert.rejects(member.call("POST", `join/${encodeURIComponent(roomId)}`, {}), /M_/);
  await visit(boss, "audit");
  await page.getByRole("cell", { name: "room.delete", exact: true }).waitFor();
});

test("who is no administrator finds no way in, and fetches none of the pages", async () => {
  const plain = await world.person("plain");
  const fetched = [];
  plain.page.on("response", (response) => fetched.push(new URL(response.url()).pathname));
  assert.equal(await plain.page.getByRole("button", { name: "Administration" }).count(), 0);
  await plain.page.goto(`${world.origin}/admin/users`);
  await plain.page.getByText("Only administrators of this server see these pages.").waitFor();
  assert.deepEqual(
    fetched.filter((path) => path.includes("admin-pages")),
    [],
  );
});

// Last, because charts are there once the server has sampled twice.
test("charts are drawn in the colours of the theme, also when it changes", async () => {
  const chief = await world.person("painter", { admin: true });
  await chief.page.emulateMedia({ colorScheme: "dark" });
  await visit(chief, "overview");
  const chart = chief.page.locator("canvas").first();
  await chart.waitFor({ timeout: 60_000 });
  // What is dark on light is light on dark: the brightest of what is drawn tells them apart.
  const brightest = () =>
    chart.evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255) found = Math.max(found, data[at] + data[at + 1] + data[at + 2]);
      }
      return found;
    });
  const onDark = await until("something is drawn", brightest, (sum) => sum > 0);
  // New figures would be drawn in new colours anyway.
  await chief.page.route("**/server/series**", () => {});
  await chief.page.emulateMedia({ colorScheme: "light" });
  await until("it is drawn anew", brightest, (sum) => sum > 0 && sum !== onDark);
  await chief.context.close();
});
