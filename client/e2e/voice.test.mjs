// Voice channels: who is inside, hearing and seeing each other, and what becomes of those who leave or have to.

import assert from "node:assert/strict";
import { test } from "node:test";
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
