// Calls where something is special: encrypted, rung, kicked, crashed, without a microphone, without WebRTC.

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

/**
 * Another client of the same person ends their membership in the call, as some do at a stale one, and the page says again that
 * it is in. Returns when the server looks after the leave that belongs to the new one.
 */
async function loseMembership({ page, person }, roomId) {
  const room = `rooms/${encodeURIComponent(roomId)}/state`;
  const memberships = (await person.call("GET", room)).filter(
    ({ type, sender, content }) =>
      type === "org.matrix.msc3401.call.member" && sender === person.userId && content.application,
  );
  assert.equal(memberships.length, 1);
  const [{ type, state_key }] = memberships;
  const handedOver = page.waitForResponse(
    (response) =>
      response.url().endsWith("/sfu/get") && response.request().postData()?.includes("delay_id") === true,
  );
  await person.call("PUT", `${room}/${type}/${encodeURIComponent(state_key)}`, {});
  assert.equal((await handedOver).status(), 200);
}

// One story at a time has the machine's cores.
afterEach(() => Promise.all(world.browser.contexts().map((context) => context.close())));

test("an encrypted channel is heard, devices change within, a crash and a kick are seen", async () => {
  const [anna, ben, cleo] = await people("anna", "ben", "cleo");
  const roomId = await anna.opensChannel("Vault", [ben, cleo], { isEncrypted: true });
  await Promise.all([anna.join(), ben.join(), cleo.join()]);
  await anna.lists(["anna", "ben", "cleo"]);
  // Whoever had no keys would hear silence.
  await Promise.all([anna.hears(), ben.hears(), cleo.hears()]);

  await anna.press("Choose microphone and speaker");
  const inputs = anna.page.getByRole("menuitemradio", { name: /Fake Audio Input/ });
  await inputs.first().click();
  await ben.hears();

  await loseMembership(cleo, roomId);
  await cleo.crash();
  // The SFU notices some 20 seconds later.
  await anna.lists(["anna", "ben"], 120_000);
  await ben.hears();

  await anna.person.call("POST", `rooms/${encodeURIComponent(roomId)}/kick`, {
    user_id: ben.person.userId,
    reason: "The meeting is over",
  });
  const farewell = ben.page.getByRole("dialog", { name: "You are no longer in the call" });
  await farewell.getByText("anna removed you from Vault.").waitFor();
  await farewell.getByText("Reason: The meeting is over").waitFor();
  await anna.lists(["anna"]);
  // Ben's SDK complains that it could not say goodbye to a room that he is no longer in.
  nobodyComplains(anna);
});

test("the rail tells of a call, and whoever wants it looks at their devices before they come in", async () => {
  const [ida, jan] = await people("ida", "jan");
  const roomId = await ida.opensChannel("Lounge", [jan]);
  const spaceId = await ida.person.createSpace("Nordlicht", [roomId], { preset: "public_chat" });
  await jan.person.call("POST", `join/${encodeURIComponent(spaceId)}`, {});
  const inRail = jan.page
    .getByRole("navigation", { name: "Servers" })
    .getByRole("button", { name: /^Nordlicht/ });
  await inRail.waitFor();
  const mark = jan.page.getByRole("button", { name: "Nordlicht, call running" });
  assert.equal(await mark.count(), 0);
  await ida.page
    .getByRole("button", { name: /^Nordlicht/ })
    .first()
    .click();
  await ida.join();
  await mark.waitFor();

  await jan.page.goto(`${world.origin}/settings/voice`);
  await jan.page.getByText("Preview before joining").click();
  await jan.page.goto(`${world.origin}/room/${encodeURIComponent(roomId)}`);
  await jan.row.click();
  const look = jan.page.getByRole("dialog", { name: "Join Lounge" });
  const level = look.getByRole("meter", { name: "Input level" });
  await until(
    "the microphone is heard",
    () => level.evaluate(({ value }) => value),
    (value) => value > 0,
  );
  await look.getByText("Camera", { exact: true }).click();
  const preview = look.getByLabel("What your camera sees");
  await until(
    "the camera is seen",
    () => preview.evaluate((video) => video.videoHeight),
    (height) => height > 0,
  );
  await assertAccessible(jan.page, "before joining");
  assert.equal(await jan.dock.count(), 0, "nobody is in before they say so");
  await look.getByText("Join muted").click();
  await look.getByRole("button", { name: "Join now" }).click();
  await jan.dock.getByText(/Excellent|Good|Connected/).waitFor();
  await ida.listed("jan").getByRole("img", { name: "Muted" }).waitFor();
  await ida.sees("Camera of jan");
  await mark.waitFor({ state: "detached" });
  nobodyComplains(ida, jan);
});

test("a direct message rings: declined once, then accepted with video", async () => {
  const [dora, emil] = await people("dora", "emil");
  await dora.opensDirect(emil);
  const ring = emil.page.getByRole("alertdialog", { name: /dora is calling/ });

  await dora.page.getByRole("button", { name: "Start a call" }).click();
  await ring.getByRole("button", { name: "Decline" }).click();
  await dora.page.getByText("Your call was declined.").waitFor();
  await dora.dockGoes();

  await dora.page.getByRole("button", { name: "Start a video call" }).click();
  await ring.getByRole("button", { name: "Accept" }).click();
  await Promise.all([dora.hears(), emil.hears()]);
  await emil.sees("Camera of dora");
  await ring.waitFor({ state: "detached" });
  nobodyComplains(dora, emil);
});

test("without a microphone one listens, and without WebRTC joining says why", async () => {
  const [finn, gina] = await people("finn", "gina");
  const mute = () => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("no", "NotAllowedError");
    };
  };
  await gina.opensChannel("Quiet room", [finn]);
  await finn.page.evaluate(mute);
  await Promise.all([finn.join(), gina.join()]);
  await finn.dock.getByText("You can listen.").waitFor();
  await finn.hears();
  await gina.listed("finn").getByRole("img", { name: "Muted" }).waitFor();
  await finn.press("Leave call");

  await finn.person.context.addInitScript(() => {
    delete globalThis.RTCPeerConnection;
  });
  await finn.page.reload();
  await finn.lists(["gina"]);
  await finn.row.click();
  await finn.page.getByText("This browser cannot take part in calls.").first().waitFor();
  nobodyComplains(finn, gina);
});
