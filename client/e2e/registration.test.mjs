// Making an account in the client, where the server lets people do so and has no page of its own for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests({
  settings: { registration: { enabled: true, token: "open sesame" }, oauth: { enabled: false } },
});

test("somebody with an invitation code makes an account, and is told what does not work", async () => {
  await world.account("taken");
  const newcomer = await world.visitor({ username: "nora", password: "a long enough password" });
  const { page } = newcomer;
  await page.goto(`${world.origin}/login`);
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByRole("heading", { level: 1, name: "Create an account" }).waitFor();
  await page.getByLabel("User name").fill("taken");
  await page.getByLabel("Password", { exact: true }).fill(newcomer.account.password);
  await page.getByLabel("Password again").fill("something else");
  await page.getByText("The two do not match.").waitFor();
  await page.getByLabel("Password again").fill(newcomer.account.password);
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByRole("alert").filter({ hasText: "This user name is taken." }).waitFor();
  await assertAccessible(page, "a new account");

  await page.getByLabel("User name").fill("nora");
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Invitation code").fill("guessed");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("This code is not valid, or it was used up.").waitFor();
  await assertAccessible(page, "what the server asks");
  await page.getByLabel("Invitation code").fill("open sesame");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { level: 1, name: /^Welcome/ }).waitFor();
  assert.deepEqual(newcomer.complaints, []);
});
