// Voice channels: who is inside, hearing and seeing each other, and what becomes of those who leave or have to.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { assertAccessible } from "./lib/axe.mjs";
import { Voice } from "./lib/voice.mjs";
import { World } from "./lib/world.mjs";

/** Small pictures: several browsers share the machine, and clients keep to what the server lets them send. */
const media = { video_layers: ["180p 150kbps 10fps"], screen: "360p 300kbps 5fps", screen_codec: "vp8" };
const world = World.forTests({ calls: true, settings: { calls: { media } } });

async function people(...names) {
  return Promise.all(names.map((name) => Voice.signIn(world, name)));
}

function nobodyComplains(...all) {
  assert.deepEqual(
    // What the SDK's own keeper of memberships says to itself is not ours.
    all.flatMap(({ person }) => person.complaints).filter((words) => !words.includes("[MembershipManager]")),
    [],
  );
}

// One story at a time has the machine's cores.
afterEach(() => Promise.all(world.browser.contexts().map((context) => context.close())));

test("people join with one click, hear and see each other, and who is outside sees who is inside", async () => {
  const [anna, ben, cleo] = await people("anna", "ben", "cleo");
  await anna.opensChannel("Standup", [ben, cleo]);

  await anna.join();
  await ben.join();
  // Cleo has not joined: the list below the channel is for everybody.
  await cleo.lists(["anna", "ben"]);
  await Promise.all([anna.hears(), ben.hears()]);
  await ben.listed("anna").getByRole("img", { name: "Speaking" }).waitFor();

  await anna.press("Mute microphone");
  await ben.listed("anna").getByRole("img", { name: "Muted" }).waitFor();
  await ben.hearsNothing();
  await anna.page.keyboard.press("Control+Shift+M");
  await ben.hears();

  await ben.press("Deafen");
  await anna.listed("ben").getByRole("img", { name: "Hears nobody" }).waitFor();
  await ben.hearsNothing();
  await ben.press("Hear others again");
  await ben.hears();

  await anna.press("Start camera");
  assert.equal(await ben.sees("Camera of anna"), 180);
  await ben.listed("anna").getByRole("img", { name: "Camera is on" }).waitFor();
  await anna.press("Stop camera");
  await ben.stage.getByLabel("Camera of anna").waitFor({ state: "detached" });

  await anna.press("Share your screen");
  await ben.listed("anna").getByText("LIVE").waitFor();
  assert.equal(
    await ben.stage.getByLabel("Screen of anna").locator("video").count(),
    0,
    "nobody has to watch",
  );
  await ben.stage.getByRole("button", { name: "Watch" }).click();
  await ben.sees("Screen of anna");
  await anna.press("Stop sharing your screen");
  await ben.listed("anna").getByText("LIVE").waitFor({ state: "detached" });

  await anna.press("Leave call");
  await cleo.lists(["ben"]);
  nobodyComplains(anna, ben, cleo);
});

test("the devices, the volume and the key to talk that somebody chose hold in their calls", async () => {
  const [ida, jan] = await people("ida", "jan");
  const roomId = await ida.opensChannel("Workshop", [jan]);
  const { page } = ida;
  await page.goto(`${world.origin}/settings/voice`);
  await page.getByRole("button", { name: /Microphone$/ }).click();
  await page.getByRole("option", { name: "Fake Audio Input 2" }).click();
  await page.getByRole("button", { name: "Test microphone" }).click();
  const level = page.getByRole("meter", { name: "Input level" });
  await rises("what the microphone hears", () => level.evaluate(({ value }) => value));
  await page.getByRole("slider", { name: "Input volume" }).press("Home");
  await until(
    "nothing is left of it",
    () => level.evaluate(({ value }) => value),
    (value) => value === 0,
  );
  await page.getByRole("slider", { name: "Input volume" }).press("End");
  await page.getByRole("button", { name: "Test camera" }).click();
  const preview = page.getByLabel("What your camera sees");
  await rises("what the camera sees", () => preview.evaluate(({ currentTime }) => currentTime));
  await page.getByText("Push to talk", { exact: true }).click();
  await page.getByRole("button", { name: "^ / `" }).click();
  await page.keyboard.press("F8");
  await page.getByRole("button", { name: "F8", exact: true }).waitFor();
  await assertAccessible(page, "settings of voice, in use");

  await ida.person.open(roomId);
  await Promise.all([ida.join(), jan.join()]);
  const isMuted = jan.listed("ida").getByRole("img", { name: "Muted" });
  await isMuted.waitFor();
  await ida.dock.getByText("Hold F8 to talk.").waitFor();
  const composer = page.getByRole("textbox", { name: /^Message / });
  await composer.fill("Can you hear me?");
  await page.keyboard.down("F8");
  await jan.hears();
  await page.keyboard.up("F8");
  await isMuted.waitFor();
  await jan.hearsNothing();

  // Low bandwidth takes effect within the call, and ends with it.
  const bitrates = () =>
    page.evaluate(() =>
      globalThis.allConnections
        .flatMap((connection) => connection.getSenders())
        .filter(({ track }) => track?.kind === "audio")
        .map((sender) => sender.getParameters().encodings[0]?.maxBitrate),
    );
  for (const bitrate of [20_000, 32_000]) {
    await ida.press("Low bandwidth");
    await until(
      "speech has as much as was asked for",
      async () => (await bitrates()).at(-1),
      (now) => now === bitrate,
    );
  }
  await ida.press("Call details");
  const details = page.getByRole("dialog", { name: "Call details" });
  await details.getByRole("row", { name: /^jan · microphone opus .*\d+ kbit\/s/ }).waitFor();
  await assertAccessible(page, "the numbers of a call");
  nobodyComplains(ida, jan);
});

test("the stage shows who speaks in front, screens in a window of their own, and moderators keep order", async () => {
  const [kim, leo] = await people("kim", "leo");
  await kim.opensChannel("Stage", [leo]);
  await Promise.all([kim.join(), leo.join()]);
  const { page, stage } = kim;
  const [own, other] = ["You", "leo"].map((name) => stage.getByRole("listitem", { name, exact: true }));
  const share = async () => (await other.boundingBox()).width / (await own.boundingBox()).width;
  await other.waitFor();
  assert.ok(Math.abs((await share()) - 1) < 0.1, "in the grid all are equal");
  await stage.getByRole("button", { name: "Speaker in front" }).click();
  await until("whoever speaks is in front", share, (times) => times > 2);
  const [front, strip] = [await other.boundingBox(), await own.boundingBox()];
  assert.ok(front.y + front.height <= strip.y, "nobody covers them");
  await stage.getByRole("button", { name: "Speaker in front" }).click();
  await until("all are equal again", share, (times) => times < 1.1);

  await leo.press("Share your screen");
  await stage.getByRole("button", { name: "Watch" }).click();
  await kim.sees("Screen of leo");
  const [small] = await Promise.all([
    kim.person.context.waitForEvent("page"),
    stage.getByRole("button", { name: "Show in a window of its own" }).click(),
  ]);
  await rises("the picture in the window", () =>
    small.evaluate(() => document.querySelector("video").currentTime),
  );
  await small.close();
  await kim.sees("Screen of leo");

  const act = async (name) => {
    await other.hover();
    await stage.getByRole("button", { name: "Options for leo" }).click();
    await page.getByRole("dialog", { name: "Options for leo" }).getByRole("button", { name }).click();
  };
  await act("Mute for everybody");
  await leo.dock.getByRole("button", { name: "Unmute microphone" }).waitFor();
  await kim.listed("leo").getByRole("img", { name: "Muted" }).waitFor();
  await leo.press("Unmute microphone");
  await kim.hears();
  await act("Remove from the call");
  const farewell = leo.page.getByRole("dialog", { name: "You are no longer in the call" });
  await farewell.getByText("A moderator put you out of the call in Stage.").waitFor();
  await kim.lists(["kim"]);
  await farewell.getByRole("button", { name: "Join again" }).click();
  await kim.lists(["kim", "leo"]);
  nobodyComplains(kim, leo);
});

/** Waits until a number is more than it was. */
async function rises(what, read) {
  const before = await read();
  await until(what, read, (now) => now > before);
}
