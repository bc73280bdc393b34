// Pictures of the main screens, dark, light and on a phone, into docs/screenshots: `npm run screenshots`.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { furnish } from "./lib/company.mjs";
import { World } from "./lib/world.mjs";

const FOLDER = process.argv[2] ?? fileURLToPath(new URL("../../docs/screenshots", import.meta.url));
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

mkdirSync(FOLDER, { recursive: true });
const hasCalls = Boolean(process.env.ECHORIFT_TEST_LIVEKIT);
const world = new World();
await world.open({ name: "northwind.example", calls: hasCalls });
try {
  const { people, rooms } = await furnish(world);
  const { lena, mira, aiko } = people;
  const { page } = lena;
  const shoot = async (name) => {
    // Fonts and pictures first, then a frame without the caret. What fades from one theme into the other is neither.
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise(requestAnimationFrame);
      const fading = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(fading.map(({ finished }) => finished));
    });
    await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: "disabled", caret: "hide" });
    console.log(name);
  };
  const theme = (colorScheme) => page.emulateMedia({ colorScheme });
  const both = async (name) => {
    for (const colorScheme of ["dark", "light"]) {
      await theme(colorScheme);
      await shoot(`${name}-${colorScheme}`);
    }
    await theme("dark");
  };

  await page.goto(`${world.origin}/login`);
  await page.getByLabel("User name").waitFor();
  await both("login");
  await lena.signIn();
  await skipFirstSteps(page);
  await lena.open(rooms.train);
  await page.getByText("Moving to 25 %").waitFor();
  await both("channel");
  if (hasCalls) {
    for (const person of [mira, aiko]) {
      await person.signIn();
      await skipFirstSteps(person.page);
      await person.open(rooms.standup);
      await person.page.getByRole("button", { name: /^Join/ }).first().click();
    }
    await lena.open(rooms.standup);
    await page.getByRole("button", { name: /^Join/ }).first().click();
    await page
      .getByText(/^(Excellent|Good)/)
      .first()
      .waitFor();
    await both("call");
  }
  for (const [name, path, title] of [
    ["settings", "/settings/appearance", "Appearance"],
    ["admin", "/admin/overview", "Overview"],
    ["admin-users", "/admin/users", "People"],
  ]) {
    await page.goto(`${world.origin}${path}`);
    await page.getByRole("heading", { name: title, exact: true }).waitFor();
    // Charts are there once the server has sampled twice.
    if (name === "admin") await page.locator("canvas").first().waitFor({ timeout: 60_000 });
    await both(name);
  }
  await page.setViewportSize(PHONE);
  await lena.open(rooms.train);
  await both("phone");
  await page.setViewportSize(DESKTOP);
} finally {
  await world.close();
}

/** Closes the cards of the first sign-in, if they are there. */
async function skipFirstSteps(page) {
  const skip = page.getByRole("button", { name: /^(Skip|Not now|Later|Done)$/ });
  for (let card = 0; card < 4; card++) {
    const isThere = await skip
      .first()
      .waitFor({ timeout: 3_000 })
      .then(
        () => true,
        () => false,
      );
    if (!isThere) return;
    await skip.first().click();
  }
}
