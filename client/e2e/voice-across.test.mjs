// Calls beyond one company's browser and good lines: two companies with an SFU each, Element Call, and a poor connection.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ElementCallUser } from "../../tests/clients/calls/lib/element-call.mjs";
import { startSite } from "../../tests/clients/calls/lib/site.mjs";
import { until } from "../../tests/clients/lib/until.mjs";
import { assertAccessible } from "./lib/axe.mjs";
import { companiesForTests, NAMES } from "./lib/companies.mjs";
import { Voice } from "./lib/voice.mjs";

/** Small pictures: several browsers share the machine, and clients keep to what the server lets them send. */
const media = { video_layers: ["180p 150kbps 10fps"] };
// Everybody sends to their own company's SFU.
const worlds = companiesForTests({ calls: true, settings: { calls: { media, publish: "local" } } });

// One story at a time has the machine's cores.
afterEach(async () => {
  for (const { browser } of worlds) for (const context of browser.contexts()) await context.close();
});

test("people of two companies are in one call, each at their own company's SFU", async () => {
  const [nora, tom] = await Promise.all([Voice.signIn(worlds[0], "nora"), Voice.signIn(worlds[1], "tom")]);
  const roomId = await nora.opensChannel("Bridge", []);
  await nora.person.call("POST", `rooms/${encodeURIComponent(roomId)}/invite`, {
    user_id: tom.person.userId,
  });
  await tom.person.call("POST", `join/${encodeURIComponent(roomId)}?via=${NAMES[0]}`, {});
  tom.channel = "Bridge";
  await Promise.all([nora.join(), tom.join()]);
  await Promise.all([nora.lists(["nora", "tom"]), tom.lists(["nora", "tom"])]);
  await Promise.all([nora.hears(), tom.hears()]);
  await tom.press("Start camera");
  await nora.sees("Camera of tom");

  await nora.press("Call details");
  const servers = nora.page.getByRole("dialog", { name: "Call details" }).getByRole("definition").last();
  await until(
    "two SFUs carry the call",
    () => servers.textContent(),
    (hosts) => new Set(hosts.split(", ")).size === 2,
  );
  await nora.page.keyboard.press("Escape");
  await tom.press("Leave call");
  await nora.lists(["nora"]);
});

test("whoever sends to a company's SFU that cannot be reached is named, and heard once it can be", async () => {
  const [nils, tara] = await Promise.all([Voice.signIn(worlds[0], "nils"), Voice.signIn(worlds[1], "tara")]);
  const roomId = await nils.opensChannel("Pier", []);
  await nils.person.call("POST", `rooms/${encodeURIComponent(roomId)}/invite`, {
    user_id: tara.person.userId,
  });
  await tara.person.call("POST", `join/${encodeURIComponent(roomId)}?via=${NAMES[0]}`, {});
  tara.channel = "Pier";
  const elsewhere = (url) => url.origin !== worlds[0].origin && url.pathname.endsWith("/sfu/get");
  await nils.page.route(elsewhere, (route) => route.abort());
  await Promise.all([nils.join(), tara.join()]);
  await Promise.all([nils.lists(["nils", "tara"]), tara.hears()]);
  const warning = nils.dock.getByText(/^You neither hear nor see tara: /);
  await warning.waitFor();
  await assertAccessible(nils.page, "the name of who cannot be heard");
  await nils.page.unroute(elsewhere);
  await nils.hears();
  await warning.waitFor({ state: "detached" });
});

test("somebody who comes with Element Call is heard and seen, and hears and sees us", async (t) => {
  const site = await startSite();
  t.after(() => site.close());
  const { homeserver, browser } = worlds[0];
  const [ida, erin] = await Promise.all([
    Voice.signIn(worlds[0], "ida"),
    ElementCallUser.come({ homeserver, browser, site }, "erin"),
  ]);
  const roomId = await ida.opensChannel("Meeting", []);
  await ida.person.call("POST", `rooms/${encodeURIComponent(roomId)}/invite`, { user_id: erin.userId });
  await erin.call("POST", `join/${encodeURIComponent(roomId)}`, {});
  await until("Element Call's client sees the room", () => erin.ask("sees", roomId, [erin.userId]));
  await ida.join();
  await ida.press("Start camera");
  await erin.open(roomId);
  await ida.lists(["ida", "erin"], 60_000);
  await ida.hears();
  await ida.sees("Camera of erin");
  await erin.hearsAndSees();
  await ida.press("Mute microphone");
  await ida.press("Unmute microphone");
  await erin.ask("hangUp");
  await ida.lists(["ida"]);
});

test("on a poor line less is offered, and taken", async () => {
  const [uma, vic] = await Promise.all([Voice.signIn(worlds[0], "uma"), Voice.signIn(worlds[0], "vic")]);
  await uma.opensChannel("Far away", [vic]);
  await Promise.all([uma.join(), vic.join()]);
  await uma.hears();
  const offer = uma.dock.getByText("Your connection is poor.");
  assert.equal(await offer.count(), 0);
  await uma.page.evaluate(packetsTakeLong);
  await offer.waitFor({ timeout: 60_000 });
  await uma.dock.getByText(/^Poor · 600 ms/).waitFor();
  await assertAccessible(uma.page, "the offer of less");
  await uma.press("Switch on");
  await offer.waitFor({ state: "detached" });
  await uma.dock.getByRole("button", { name: "Low bandwidth", pressed: true }).waitFor();
  await uma.hears();
});

/** Runs in the page, whose browser tells of a connection as over a bad satellite. */
function packetsTakeLong() {
  for (const { prototype } of [RTCRtpReceiver, RTCRtpSender]) {
    const { getStats } = prototype;
    prototype.getStats = async function () {
      const report = new Map(await getStats.call(this));
      for (const [id, entry] of report) {
        if (entry.type === "candidate-pair") report.set(id, { ...entry, currentRoundTripTime: 0.6 });
      }
      return report;
    };
  }
}
