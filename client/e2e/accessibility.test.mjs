// Every main screen by the rules of WCAG 2.2 A and AA, in both themes, on a desktop and a phone; and a round by the keyboard alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./lib/axe.mjs";
import { furnish } from "./lib/company.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests({ name: "northwind.example" });
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

test("no screen has barriers that axe knows", async () => {
  const { people, rooms } = await furnish(world);
  const { lena } = people;
  const { page } = lena;
  await page.goto(`${world.origin}/login`);
  await page.getByLabel("User name").waitFor();
  await inBothThemes(page, "sign-in");
  await lena.signIn();
  const room = (id, search = "") => `/room/${encodeURIComponent(id)}${search}`;
  const screens = {
    channel: room(rooms.train),
    threads: room(rooms.train, "?panel=threads"),
    pins: room(rooms.train, "?panel=pins"),
    search: room(rooms.train, "?panel=search"),
    direct: room(rooms.direct),
    voice: room(rooms.standup),
    server: room(rooms.server),
    inbox: "/inbox",
    explore: "/explore",
    administration: "/admin/overview",
    "people of the administration": "/admin/users",
  };
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const [name, path] of Object.entries(screens)) {
      await page.goto(`${world.origin}${path}`);
      await page.getByRole("main").first().waitFor();
      await page.waitForFunction(isSettled);
      await inBothThemes(page, `${name} (${size})`);
    }
  }
  assert.deepEqual(lena.complaints, []);
});

test("a channel is found, read and answered by the keyboard alone", async () => {
  const erik = await world.person("erik");
  const roomId = await erik.createRoom({ name: "harbour" });
  await erik.sendText(roomId, "The ship is in");
  const { page } = erik;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("harb");
  await page
    .getByRole("option", { name: /harbour/ })
    .first()
    .waitFor();
  await page.keyboard.press("Enter");
  await erik.message("The ship is in").waitFor();
  const composer = page.getByRole("textbox", { name: /^Message / });
  for (let presses = 0; presses < 8; presses++) {
    if (await composer.evaluate((element) => element === document.activeElement)) break;
    await page.keyboard.press("F6");
  }
  if (!(await composer.evaluate((element) => element === document.activeElement))) {
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press("Tab");
      if (await composer.evaluate((element) => element === document.activeElement)) break;
    }
  }
  await page.keyboard.type("Then let us unload");
  await page.keyboard.press("Enter");
  await erik.message("Then let us unload").waitFor();
});

async function inBothThemes(page, name) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, colorScheme);
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    await page.waitForFunction(isSettled);
    await assertAccessible(page, `${name}, ${colorScheme}`);
  }
}

/** Nothing is being fetched, and virtual lists have measured their rows, which are hidden until then. */
function isSettled() {
  const isLoading = [...document.querySelectorAll("[role=status]")].some(
    ({ textContent }) => textContent === "Loading",
  );
  const rows = [...document.querySelectorAll('a[href^="/room/"]')];
  return !isLoading && rows.every((row) => getComputedStyle(row).visibility === "visible");
}
