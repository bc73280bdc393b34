// A call without a mouse: into it, everything one does there, the stage over the whole window and back, and out again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyboard } from "./lib/keyboard.mjs";
import { Voice } from "./lib/voice.mjs";
import { World } from "./lib/world.mjs";

const media = { video_layers: ["180p 150kbps 10fps"], screen: "360p 300kbps 5fps", screen_codec: "vp8" };
const world = World.forTests({ calls: true, settings: { calls: { media } } });

test("a call is joined, led and left by the keyboard alone", async () => {
  const [anna, ben] = await Promise.all(["anna", "ben"].map((name) => Voice.signIn(world, name)));
  await anna.opensChannel("Bridge", [ben]);
  const { page, dock, stage } = anna;
  const keyboard = new Keyboard(anna.person);
  const control = (name) => dock.getByRole("button", { name, exact: true });
  await ben.join();

  await keyboard.enter(anna.row);
  await dock.getByText(/Excellent|Good|Connected/).waitFor();
  await anna.lists(["anna", "ben"]);
  await keyboard.isSoonAt(anna.row);

  await keyboard.enter(control("Mute microphone"));
  await ben.listed("anna").getByRole("img", { name: "Muted" }).waitFor();
  await keyboard.isSoonAt(control("Unmute microphone"));
  await keyboard.press("Enter");
  await ben.hears();
  const devices = control("Choose microphone and speaker");
  await keyboard.choose(devices, "Fake Audio Input 2");
  await keyboard.press("Escape");
  await keyboard.isSoonAt(devices);
  await keyboard.enter(control("Deafen"));
  await ben.listed("anna").getByRole("img", { name: "Hears nobody" }).waitFor();
  await keyboard.isSoonAt(control("Hear others again"));
  await keyboard.press("Enter");
  await keyboard.enter(control("Start camera"));
  await ben.sees("Camera of anna");
  await keyboard.isSoonAt(control("Stop camera"));
  await keyboard.press("Enter");
  await keyboard.enter(control("Share your screen"));
  await ben.listed("anna").getByText("LIVE").waitFor();
  await keyboard.isSoonAt(control("Stop sharing your screen"));
  await keyboard.press("Enter");
  const react = control("Send a reaction");
  await keyboard.enter(react);
  const reactions = page.getByRole("dialog", { name: "Send a reaction" });
  await keyboard.enter(reactions.getByRole("button", { name: "🎉" }));
  await reactions.waitFor({ state: "detached" });
  await keyboard.isSoonAt(react);
  const details = control("Call details");
  await keyboard.enter(details, { back: true });
  await page.getByRole("dialog", { name: "Call details" }).waitFor();
  await keyboard.press("Escape");
  await keyboard.isSoonAt(details);

  // Somebody's screen on the stage.
  await ben.press("Share your screen");
  const watch = stage.getByRole("button", { name: "Watch" });
  await keyboard.enter(watch);
  await anna.sees("Screen of ben");
  await keyboard.isSoonAt(stage.getByRole("button", { name: "Show in a window of its own" }));
  const stop = stage.getByRole("button", { name: "Stop watching" });
  await keyboard.enter(stop);
  await watch.waitFor();
  await keyboard.isSoonAt(watch);

  // What one can do about somebody, and that over the whole window, too.
  const options = stage.getByRole("button", { name: "Options for ben" });
  const full = stage.getByRole("button", { name: "Full screen" });
  await keyboard.enter(full);
  const back = stage.getByRole("button", { name: "Leave full screen" });
  await keyboard.isSoonAt(back);
  for (let stop = 0; stop < 14; stop++) {
    await page.keyboard.press("Tab");
    const isBehind = await stage.evaluate(
      (element) => document.activeElement !== document.body && !element.contains(document.activeElement),
    );
    assert.ok(!isBehind, `Tab goes behind the stage: ${await keyboard.place()}`);
  }
  await keyboard.enter(options);
  const menu = page.getByRole("dialog", { name: "Options for ben" });
  const volume = menu.getByRole("slider", { name: "Volume", exact: true });
  await keyboard.to(volume);
  await keyboard.press("ArrowLeft", { times: 2 });
  assert.equal(await volume.inputValue(), "0.9");
  await keyboard.space(menu.getByRole("switch", { name: "Mute for me" }));
  await keyboard.press("Escape");
  await menu.waitFor({ state: "detached" });
  await keyboard.isSoonAt(options);
  await keyboard.press("Enter");
  await keyboard.enter(menu.getByRole("button", { name: "Mute for everybody" }));
  await ben.dock.getByRole("button", { name: "Unmute microphone" }).waitFor();
  await keyboard.isSoonAt(options);
  await keyboard.enter(back);
  await keyboard.isSoonAt(full);

  await keyboard.press("F6");
  await keyboard.enter(control("Leave call"));
  await anna.dockGoes();
  await anna.lists(["ben"]);
  await keyboard.isSeen("after the call was left");

  // In again by the page of the channel, with a look at one's devices first.
  const lobby = page.getByRole("region", { name: "Join the call" });
  const look = lobby.getByRole("button", { name: "Check devices first" });
  await keyboard.enter(look);
  const prejoin = page.getByRole("dialog");
  await prejoin.waitFor();
  await keyboard.press("Escape");
  await prejoin.waitFor({ state: "detached" });
  await keyboard.isSoonAt(look);
  await keyboard.enter(lobby.getByRole("button", { name: "Join", exact: true }), { back: true });
  await dock.getByText(/Excellent|Good|Connected/).waitFor();
  await keyboard.isSoonAt(stage.locator(":focus"), "the stage");
  await keyboard.isSeen("after joining");
  await keyboard.press("Control+Shift+L");
  await anna.dockGoes();
  await keyboard.isSeen("after leaving");
});
