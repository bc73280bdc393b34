// Files: by button, drop and paste, with progress, cancel, limit, and from there to the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./lib/world.mjs";

const LIMIT_BYTES = 8 * 1024 * 1024;
const world = World.forTests({ settings: { media: { max_upload: `${LIMIT_BYTES}B` } } });

const composer = ({ page }) => page.getByRole("textbox", { name: /^Message / });
const cards = ({ page }) => page.getByRole("list", { name: "Attached files" }).getByRole("listitem");

/** The newest message of a room that fits, once there is one. */
async function received(person, roomId, fits) {
  for (;;) {
    const path = `rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=30`;
    const found = (await person.call("GET", path)).chunk.find(fits);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const named = (name) => (event) => event.content?.filename === name;

/** A picture of this size, drawn by the browser: bytes of a real PNG. */
async function picture(page, width, height) {
  const base64 = await page.evaluate(
    ([w, h]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
      const brush = canvas.getContext("2d");
      brush.fillStyle = "#45dfbf";
      brush.fillRect(0, 0, w, h / 2);
      return canvas.toDataURL("image/png").split(",")[1];
    },
    [width, height],
  );
  return Buffer.from(base64, "base64");
}

/** Lets the person do with files what they would do with a mouse: `drop` on the room or `paste` into the field, or elsewhere. */
async function hand(person, how, files, at = composer(person)) {
  await at.evaluate(
    (element, [kind, given]) => {
      const carried = new DataTransfer();
      for (const { name, type, text, bytes } of given) {
        const parts = bytes ? [Uint8Array.from(bytes)] : [text];
        carried.items.add(new File(parts, name, { type }));
      }
      const more = { bubbles: true, cancelable: true };
      if (kind === "drop") {
        const zone = element.closest("aside, [role=complementary], main");
        for (const step of ["dragenter", "dragover", "drop"])
          zone.dispatchEvent(new DragEvent(step, { ...more, dataTransfer: carried }));
      } else element.dispatchEvent(new ClipboardEvent("paste", { ...more, clipboardData: carried }));
    },
    [how, files],
  );
}

const text = (name) => ({ name, type: "text/plain", text: name });

test("files go by button, drop and paste, with words, and the others get them through the worker", async () => {
  const anna = await world.person("anna");
  const ben = await world.person("ben");
  const roomId = await anna.createRoom({ name: "general", members: [ben] });
  await anna.open(roomId);

  const buffer = await picture(anna.page, 1200, 600);
  await anna.page
    .locator("[data-composer-files]")
    .setInputFiles({ name: "plan.png", mimeType: "image/png", buffer });
  await cards(anna).getByText("Ready to send").waitFor();
  await cards(anna).getByRole("button", { name: "Hide until clicked" }).click();
  await anna.say("the **plan**");
  const image = await received(anna, roomId, named("plan.png"));
  assert.equal(image.content.msgtype, "m.image");
  assert.equal(image.content.body, "the **plan**");
  assert.equal(image.content.formatted_body, "the <strong>plan</strong>");
  assert.equal(image.content["page.codeberg.everypizza.msc4193.spoiler"], true);
  assert.deepEqual([image.content.info.w, image.content.info.h], [1200, 600]);
  assert.match(image.content.info["xyz.amorgan.blurhash"], /^L.{27}$/);
  assert.equal(await cards(anna).count(), 0);

  await hand(anna, "drop", [text("notes.txt")]);
  await cards(anna).getByText("notes.txt").waitFor();
  await anna.page.getByRole("button", { name: "Send" }).click();
  const notes = await received(anna, roomId, named("notes.txt"));
  assert.equal(notes.content.msgtype, "m.file");
  await hand(anna, "paste", [text("pasted.txt")]);
  await cards(anna).getByText("pasted.txt").waitFor();
  await anna.page.getByRole("button", { name: "Send" }).click();
  await received(anna, roomId, named("pasted.txt"));

  // What is spoken goes as a file with its waveform; what is asked, as a poll.
  await anna.page.getByRole("button", { name: "Record a voice message" }).click();
  await anna.page.getByText("0:01").waitFor();
  await anna.page.getByRole("button", { name: "Send recording" }).click();
  const voice = await received(anna, roomId, ({ content }) => content?.msgtype === "m.audio");
  assert.deepEqual(voice.content["org.matrix.msc3245.voice"], {});
  assert.ok(voice.content["org.matrix.msc1767.audio"].waveform.some((level) => level > 0));
  assert.ok(voice.content.info.duration >= 1000);
  await anna.page.getByRole("button", { name: "Create a poll" }).click();
  await anna.page.getByLabel("Question").fill("Lunch?");
  await anna.page.getByLabel("Answer 1").fill("Soup");
  await anna.page.getByLabel("Answer 2").fill("Salad");
  await anna.page.getByRole("button", { name: "Ask" }).click();
  const poll = await received(anna, roomId, ({ type }) => type === "org.matrix.msc3381.poll.start");
  assert.deepEqual(
    poll.content["org.matrix.msc3381.poll.start"].answers.map((answer) => answer["org.matrix.msc1767.text"]),
    ["Soup", "Salad"],
  );

  // Pages ask for files without a token; the worker adds it, also for a part and after a reload.
  await ben.open(roomId);
  await ben.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await ben.page.reload();
  await ben.page.getByRole("log").waitFor();
  const path = image.content.url.slice("mxc://".length);
  const answers = await ben.page.evaluate(async (media) => {
    const small = await fetch(`/_matrix/client/v1/media/thumbnail/${media}?width=96&height=96&method=crop`);
    const part = await fetch(`/_matrix/client/v1/media/download/${media}`, {
      headers: { Range: "bytes=0-9" },
    });
    return [
      small.status,
      small.headers.get("content-type"),
      part.status,
      (await part.arrayBuffer()).byteLength,
    ];
  }, path);
  assert.equal(answers[0], 200);
  assert.match(answers[1], /^image\//);
  assert.ok(answers[2] === 206 ? answers[3] === 10 : answers[2] === 200);
  for (const person of [anna, ben]) assert.deepEqual(person.complaints, []);
});

test("several files at once go into a channel and into a thread, and those that are too large are named", async () => {
  const gina = await world.person("gina");
  const roomId = await gina.createRoom({ name: "many" });
  const root = await gina.sendText(roomId, "where the files belong");
  await gina.open(roomId);
  const { page } = gina;
  const log = page.getByRole("log", { name: "Messages", exact: true });

  const bytes = [...(await picture(page, 300, 200))];
  const large = (name) => ({ name, type: "", text: "x".repeat(LIMIT_BYTES + 1) });
  await hand(gina, "drop", [
    large("film.bin"),
    { name: "plan.png", type: "image/png", bytes },
    text("notes.txt"),
    large("disk.bin"),
  ]);
  await page.getByText("2 files are too large, at most 8.4 MB each: film.bin and disk.bin.").waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll("li img")].some(({ naturalWidth }) => naturalWidth === 300),
  );
  assert.deepEqual(await cards(gina).locator("span[title]").allTextContents(), ["plan.png", "notes.txt"]);
  // The words to them can be written at once.
  await page.keyboard.type("both of them");
  await page.keyboard.press("Enter");
  await received(gina, roomId, ({ content }) => content?.body === "both of them");
  const bodies = (await gina.call("GET", `rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=3`)).chunk;
  assert.deepEqual(
    bodies.map(({ content }) => content.body),
    ["both of them", "notes.txt", "plan.png"],
  );

  // Who reads and has no field under the caret need not find it first.
  await log.focus();
  await hand(gina, "paste", [text("read.txt")], log);
  await cards(gina).getByText("read.txt").waitFor();
  await cards(gina).getByRole("button", { name: "Remove read.txt" }).click();
  await log.focus();
  await log.evaluate((element) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "copied words");
    element.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
  });
  await page.waitForFunction(() => document.activeElement?.value === "copied words");

  await page.goto(`${world.origin}/room/${encodeURIComponent(roomId)}?thread=${encodeURIComponent(root)}`);
  const inThread = page.getByRole("complementary").getByRole("textbox", { name: "Message in the thread" });
  await inThread.waitFor();
  await hand(gina, "drop", [text("one.txt"), text("two.txt")], inThread);
  await hand(gina, "paste", [text("three.txt")], inThread);
  await cards(gina).getByText("three.txt").waitFor();
  await inThread.press("Enter");
  for (const name of ["one.txt", "two.txt", "three.txt"]) {
    const { content } = await received(gina, roomId, named(name));
    assert.deepEqual(
      [content["m.relates_to"].rel_type, content["m.relates_to"].event_id],
      ["m.thread", root],
    );
  }

  // Beside all of that a file changes nothing: it would otherwise open in place of the client.
  const isKept = await page.getByRole("navigation", { name: "Servers" }).evaluate((rail) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["astray"], "astray.txt"));
    return ["dragover", "drop"].every(
      (step) => !rail.dispatchEvent(new DragEvent(step, { bubbles: true, cancelable: true, dataTransfer })),
    );
  });
  assert.equal(isKept, true);
  assert.equal(await cards(gina).count(), 0);
  assert.deepEqual(gina.complaints, []);
});

test("a slow upload shows how far it is, leaves the keyboard alone and can be cancelled", async () => {
  const carl = await world.person("carl");
  const roomId = await carl.createRoom({ name: "slow" });
  await carl.open(roomId);
  const network = await carl.context.newCDPSession(carl.page);
  await network.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 400 * 1024,
  });
  const large = {
    name: "film.bin",
    mimeType: "application/octet-stream",
    buffer: Buffer.alloc(6 * 1024 * 1024),
  };
  await carl.page.locator("[data-composer-files]").setInputFiles(large);
  const bar = carl.page.getByRole("progressbar", { name: "Uploading film.bin" });
  await bar.waitFor();
  await carl.page.waitForFunction(
    () => Number(document.querySelector('[role="progressbar"]')?.getAttribute("aria-valuenow")) > 2,
  );
  await composer(carl).fill("meanwhile");
  assert.equal(await composer(carl).inputValue(), "meanwhile");
  await cards(carl).getByRole("button", { name: "Cancel upload of film.bin" }).click();
  await bar.waitFor({ state: "detached" });

  const tooLarge = { ...large, name: "too-large.bin", buffer: Buffer.alloc(LIMIT_BYTES + 1) };
  await carl.page.locator("[data-composer-files]").setInputFiles(tooLarge);
  await carl.page.getByText(/too-large.bin is too large: at most 8.4 MB/).waitFor();
  assert.equal(await cards(carl).count(), 0);
  await network.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
  await composer(carl).press("Enter");
  await received(carl, roomId, ({ content }) => content?.body === "meanwhile");
  assert.deepEqual(carl.complaints, []);
});

test("files for an encrypted room leave the browser encrypted and without their names", async () => {
  const dora = await world.person("dora");
  const roomId = await dora.createRoom({ name: "sealed", isEncrypted: true });
  await dora.open(roomId);
  const isUpload = (request) => request.method() === "POST" && request.url().includes("/media/v3/upload");
  const upload = dora.page.waitForRequest(isUpload);
  const buffer = Buffer.from("a secret plan");
  const file = { name: "secret.txt", mimeType: "text/plain", buffer };
  await dora.page.locator("[data-composer-files]").setInputFiles(file);
  const request = await upload;
  assert.doesNotMatch(request.url(), /secret/);
  assert.equal(request.headers()["content-type"], "application/octet-stream");
  assert.notEqual(request.postDataBuffer()?.toString(), buffer.toString());
  await cards(dora).getByText("Ready to send").waitFor();
  await dora.page.getByRole("button", { name: "Send" }).click();
  const sent = await received(dora, roomId, ({ type }) => type === "m.room.encrypted");
  assert.equal(JSON.stringify(sent).includes("secret.txt"), false);
  assert.deepEqual(dora.complaints, []);
});

test("whoever counts every byte gets the colours of a picture, opens the ones they want, and types in silence", async () => {
  const tina = await world.person("tina");
  const theo = await world.person("theo");
  const roomId = await tina.createRoom({ name: "narrow", members: [theo] });
  await tina.open(roomId);
  await tina.page
    .locator("[data-composer-files]")
    .setInputFiles({ name: "wide.png", mimeType: "image/png", buffer: await picture(tina.page, 600, 300) });
  await cards(tina).getByText("Ready to send").waitFor();
  await tina.say("");
  await received(tina, roomId, named("wide.png"));

  await theo.page.goto(`${world.origin}/settings/voice`);
  await theo.page.getByText("Low bandwidth", { exact: true }).click();
  const asked = [];
  theo.page.on("request", (request) => {
    if (/\/media\/|\/typing\//.test(request.url())) asked.push(request.url());
  });
  await theo.open(roomId);
  const shown = theo.page.getByRole("button", { name: "Open the picture wide.png" });
  const colours = shown.locator("canvas[data-blurhash]");
  await colours.waitFor();
  const top = await colours.evaluate((canvas) => [...canvas.getContext("2d").getImageData(16, 4, 1, 1).data]);
  assert.ok(top[1] > 120 && top[1] > top[0], `the upper half is green: ${top}`);
  await composer(theo).pressSequentially("quietly");
  await theo.say("quietly typed");
  await theo.message("quietly typed").waitFor();
  assert.deepEqual(asked, []);
  await shown.click();
  await theo.page.getByRole("dialog").getByRole("img", { name: "wide.png" }).waitFor();
  assert.deepEqual([...tina.complaints, ...theo.complaints], []);
});
