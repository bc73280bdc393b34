// Coming in, staying in, going out: by the directory's password and by the server's page, in one tab or two.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

// Every token ends while its page is open, so that all of these stories live on renewed ones.
const world = World.forTests({
  directory: { password_change: true },
  ldif: ["troubles.ldif"],
  settings: { sessions: { access_token_lifetime: "3s" } },
});
const employee = (username, password) => ({ username, password, userId: `@${username}:nordlicht.example` });
const isIn = (page) => page.getByRole("navigation", { name: "Servers" }).waitFor();
const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
/** What the SDK says of a session that was ended on purpose. */
const FAREWELL = /Unable to refresh token|M_UNKNOWN_TOKEN/;
const assertCalm = ({ userId, complaints }, except = /^$/) => {
  const told = complaints.filter((complaint) => !except.test(complaint));
  assert.deepEqual(told, [], userId);
};

test("an employee comes in with the company's password, by the keyboard, and stays in", async () => {
  const anna = await world.visitor(employee("anna.weber", "nordlicht-anna"));
  const { page } = anna;
  await page.goto(`${world.origin}/`);
  await page.waitForURL("**/login");
  await anna.enterPassword({ password: "not hers" });
  await page.getByRole("alert").filter({ hasText: "The user name or password is wrong" }).waitFor();
  await page.getByLabel("Password", { exact: true }).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("nordlicht-anna");
  await page.keyboard.press("Enter");
  await heading(page, "Welcome, Anna Weber");
  await page.getByRole("button", { name: "Copy" }).waitFor();
  await page.getByRole("button", { name: "Skip for now" }).press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
  await page.reload();
  await isIn(page);
  await page.goto(`${world.origin}/login`);
  await page.waitForURL((url) => url.pathname === "/");
  assertCalm(anna);
});

test("an account that may not come in, and a server that is away, have sentences of their own", async () => {
  const mats = await world.visitor(employee("mats.olsen", "nordlicht-mats"));
  await mats.page.goto(`${world.origin}/login`);
  await mats.enterPassword();
  await mats.page
    .getByRole("alert")
    .filter({ hasText: "This account is disabled in the company directory" })
    .waitFor();
  await mats.page.route("**/_matrix/client/v3/login", (route) => route.abort());
  await mats.enterPassword();
  await mats.page.getByRole("alert").filter({ hasText: "The server cannot be reached" }).waitFor();
});

test("the server's own page signs in, and leads to the page that was wanted", async () => {
  const jonas = await world.visitor(employee("jonas.meyer", "nordlicht-jonas"));
  const { page } = jonas;
  await page.goto(`${world.origin}/room/!wanted`);
  await page.getByRole("button", { name: "Single sign-on" }).click();
  // The client's own form has fields of the same names.
  await page.getByRole("button", { name: "Log in" }).waitFor();
  await page.getByLabel("User name").fill(jonas.account.username);
  await page.getByLabel("Password").fill(jonas.account.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL((url) => url.pathname === "/room/!wanted");
  await isIn(page);
  await page.reload();
  await isIn(page);
  assertCalm(jonas);
});

test("one tab at a time has the account", async () => {
  const sofia = await world.visitor(employee("sofia.rossi", "nordlicht-sofia"));
  await sofia.signIn();
  const second = await sofia.context.newPage();
  await second.goto(`${world.origin}/`);
  await heading(second, "EchoRift is open in another tab");
  await second.getByRole("button", { name: "Use here" }).click();
  await isIn(second);
  await heading(sofia.page, "EchoRift is open in another tab");
  await second.close();
  // The one that is left goes on by itself.
  await isIn(sofia.page);
  assertCalm(sofia);
});

test("a session that the server ended softly goes on after a password, with its keys", async () => {
  const tokens = [];
  const lea = await world.visitor(await world.account("lea"));
  const { page } = lea;
  page.on("request", (request) => {
    if (request.url().endsWith("/v3/refresh")) tokens.push(request.postDataJSON().refresh_token);
  });
  await lea.signIn();
  const renewed = (count) => page.waitForEvent("request", { predicate: () => new Set(tokens).size >= count });
  await page.reload();
  await isIn(page);
  if (new Set(tokens).size < 3) await renewed(3);
  // A token that was used before: somebody may have copied it, so the server ends the session.
  await fetch(`${world.homeserver.baseUrl}/_matrix/client/v3/refresh`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: tokens[0] }),
  });
  await heading(page, "Sign in again");
  const device = await keyDatabases(page);
  await page.reload();
  await heading(page, "Sign in again");
  await page.getByLabel("Password", { exact: true }).fill(lea.account.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await isIn(page);
  assert.deepEqual(await keyDatabases(page), device, "the keys of the device are the same");
  assertCalm(lea, FAREWELL);
});

test("a session that was ended from elsewhere says so and forgets its keys", async () => {
  const tom = await world.person("tom");
  const { devices } = await tom.call("GET", "devices");
  const ended = devices.map(({ device_id: id }) => id).filter((id) => id !== tom.account.deviceId);
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: tom.account.username },
    password: tom.account.password,
  };
  await tom.call("POST", "delete_devices", { devices: ended, auth });
  await tom.page.waitForURL("**/login**");
  await tom.page.getByText("You were signed out on this device from somewhere else").waitFor();
  assert.deepEqual(await keyDatabases(tom.page), []);
  await tom.signIn();
  assertCalm(tom, FAREWELL);
});

test("whoever has to change the company's password does so where they sign in", async () => {
  const nele = await world.visitor(employee("nele.neu", "nordlicht-nele"));
  const { page } = nele;
  await page.goto(`${world.origin}/login`);
  await nele.enterPassword();
  await page.getByText("Your password has to be changed before you can sign in.").waitFor();
  const choose = async (first, second = first) => {
    await page.getByLabel("New password", { exact: true }).fill(first);
    await page.getByLabel("New password again").fill(second);
    await page.getByRole("button", { name: "Change password and sign in" }).click();
  };
  await choose("nordlicht-nele-2", "nordlicht-nele-3");
  await page.getByText("The two do not match.").waitFor();
  await choose("short");
  await page.getByText("The company directory does not take this password.").waitFor();
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await assertAccessible(page, `a new password, ${colorScheme}`);
  }
  await choose("nordlicht-nele-2");
  await heading(page, "Welcome, Nele Neu");
  assertCalm(nele);

  const emil = await world.visitor(employee("emil.alt", "nordlicht-emil"));
  await emil.page.goto(`${world.origin}/login`);
  await emil.enterPassword();
  // The directory lets nobody change a password that has ended: there is a sentence, and no form.
  await emil.page.getByRole("alert").filter({ hasText: "Your password has expired." }).waitFor();
});

test("while the directory is away, that is what is said, and whoever is in stays in", async () => {
  const anna = await world.visitor(employee("anna.weber", "nordlicht-anna"));
  await anna.signIn();
  await world.stopDirectory();
  await anna.page.reload();
  await isIn(anna.page);
  const late = await world.visitor(employee("jonas.meyer", "nordlicht-jonas"));
  await late.page.goto(`${world.origin}/login`);
  await late.enterPassword();
  await late.page.getByRole("alert").filter({ hasText: "The company directory does not answer" }).waitFor();
  assertCalm(anna);
});

/** The names of the stores that hold this browser's keys. */
function keyDatabases(page) {
  return page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return databases
      .map(({ name }) => name)
      .filter((name) => name.startsWith("echorift-crypto"))
      .sort();
  });
}
