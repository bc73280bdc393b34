// Two people in a channel: what one does to messages, the other sees, and both see it again after a reload.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

/** Where pages that people link to are: this machine, which servers do not look at unless told. */
const world = World.forTests({ settings: { outbound: { allowed_ip_ranges: ["127.0.0.1"] } } });

describe("messages of two people", () => {
  let anna;
  let ben;
  let roomId;

  before(async () => {
    [anna, ben] = [await world.person("anna"), await world.person("ben")];
    roomId = await anna.createRoom({ name: "release-train", members: [ben] });
    await Promise.all([anna.open(roomId), ben.open(roomId)]);
  });

  after(() => {
    for (const person of [anna, ben]) assert.deepEqual(person.complaints, []);
  });

  test("a reply quotes its message, and a click on the quote goes there", async () => {
    await anna.say("Canary is live on five percent");
    await act(ben, "Canary is live", "Reply");
    await ben.say("Fewer reconnects than in staging");
    const answer = anna.message("Fewer reconnects");
    await answer.getByRole("button", { name: /In reply to.*anna.*Canary/i }).click();
    await anna.page.locator('article[class*="target"]').filter({ hasText: "Canary" }).waitFor();
  });

  test("an edit shows on both sides, with what was said before", async () => {
    await act(anna, "Canary is live", "Edit", { fromMenu: true });
    const composer = anna.page.getByRole("textbox", { name: /^Message |edit/i }).first();
    await composer.fill("Canary is live on ten percent");
    await composer.press("Enter");
    for (const person of [anna, ben]) {
      await person.message("on ten percent").getByRole("button", { name: "edited" }).first().waitFor();
    }
    const edited = ben.message("Canary is live on ten percent").first();
    await edited.getByRole("button", { name: "edited" }).click();
    const history = ben.page.getByRole("dialog", { name: "What this message said" });
    await history.getByText("Canary is live on five percent").waitFor();
    await ben.page.keyboard.press("Escape");
  });

  test("a reaction counts on both sides, and a second press takes it back", async () => {
    const ofBen = ben.message("Canary is live on ten").first();
    await ofBen.hover();
    await ofBen.getByRole("button", { name: "React with 👍" }).click();
    const ofAnna = anna.message("Canary is live on ten").first();
    const reaction = ofAnna.getByRole("button", { name: "👍, 1 person" });
    await reaction.click();
    const both = ofBen.getByRole("button", { name: "👍, 2 people" });
    await both.waitFor();
    await both.focus();
    await ben.page
      .getByRole("tooltip")
      .filter({ hasText: /anna.*reacted with/i })
      .waitFor();
    await both.click();
    await ofAnna.getByRole("button", { name: "👍, 1 person" }).waitFor();
  });

  test("a thread opens beside the channel and is summed up under its message", async () => {
    await act(ben, "Fewer reconnects", "Open thread");
    const thread = ben.page.getByRole("log", { name: "Messages of the thread" });
    await thread.waitFor();
    const composer = ben.page.getByRole("complementary").getByRole("textbox").first();
    await composer.fill("Old pool sizing?");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "Old pool sizing?" }).waitFor();
    const root = anna.message("Fewer reconnects").first();
    await root.getByRole("button", { name: /1 reply/ }).click();
    await anna.page
      .getByRole("log", { name: "Messages of the thread" })
      .getByText("Old pool sizing?")
      .waitFor();
    assert.equal(await logOf(anna).getByText("Old pool sizing?").count(), 0);

    // What everybody should know goes into the channel too, as an answer to what the thread is about.
    await ben.page.getByText(/^Also send to #/).click();
    await composer.fill("It was the pool");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "It was the pool" }).waitFor();
    await logOf(anna)
      .getByRole("article")
      .filter({ hasText: "It was the pool" })
      .getByRole("button", { name: /In reply to/ })
      .waitFor();
    await composer.fill("Only here again");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "Only here again" }).waitFor();
    assert.equal(await logOf(ben).getByText("Only here again").count(), 0);
    await Promise.all([anna.open(roomId), ben.open(roomId)]);
  });

  test("a pin is in the panel of both", async () => {
    await act(anna, "Fewer reconnects", "Pin", { fromMenu: true });
    await ben.page.getByRole("button", { name: "Pinned messages" }).click();
    const panel = ben.page.getByRole("complementary", { name: "Pinned messages" });
    await panel.getByText("Fewer reconnects than in staging").waitFor();
    await ben.page.getByRole("button", { name: "Pinned messages" }).click();
  });

  test("what is deleted is gone for both, with its reason", async () => {
    await anna.say("A slip of the keyboard");
    await act(anna, "A slip of the keyboard", "Delete", { fromMenu: true });
    const dialog = anna.page.getByRole("alertdialog", { name: "Delete this message?" });
    await dialog.getByLabel("Reason (optional)").fill("typed by the cat");
    await dialog.getByRole("button", { name: "Delete" }).click();
    for (const person of [anna, ben]) {
      await logOf(person).getByText("Deleted: typed by the cat").waitFor();
      assert.equal(await person.message("A slip of the keyboard").count(), 0);
    }
  });

  test("the keyboard alone moves from message to message and answers", async () => {
    await logOf(anna).focus();
    await anna.page.keyboard.press("ArrowUp");
    await anna.page.keyboard.press("k");
    await anna.page.keyboard.press("k");
    const focused = anna.page.locator("article:focus");
    await focused.filter({ hasText: "Canary is live on ten percent" }).waitFor();
    await anna.page.keyboard.press("r");
    await anna.page.keyboard.type("Answered without a mouse");
    await anna.page.keyboard.press("Enter");
    await ben
      .message("Answered without a mouse")
      .getByRole("button", { name: /In reply to/ })
      .waitFor();
  });

  test("reading is shown to the one who wrote", async () => {
    await ben.message("Answered without a mouse").first().waitFor();
    await ben.page.bringToFront();
    await logOf(ben).click();
    await anna
      .message("Answered without a mouse")
      .getByRole("button", { name: /Read by .*ben/i })
      .waitFor();
  });

  test("who types is named below the messages", async () => {
    await ben.page.getByRole("textbox", { name: /^Message / }).pressSequentially("hm");
    await anna.page
      .getByRole("status")
      .filter({ hasText: /ben is typing/i })
      .waitFor();
    await ben.page.getByRole("textbox", { name: /^Message / }).fill("");
  });

  test("a poll is answered by both and ended by its author", async () => {
    const poll = {
      question: { "org.matrix.msc1767.text": "Ramp up now?" },
      kind: "org.matrix.msc3381.poll.disclosed",
      max_selections: 1,
      answers: [
        { id: "y", "org.matrix.msc1767.text": "Yes" },
        { id: "n", "org.matrix.msc1767.text": "No" },
      ],
    };
    await anna.send(roomId, { "org.matrix.msc3381.poll.start": poll }, "org.matrix.msc3381.poll.start");
    const group = (person) => person.page.getByRole("group", { name: "Poll: Ramp up now?" });
    await group(anna).getByRole("button", { name: /Yes/ }).click();
    await group(ben).getByRole("button", { name: /No/ }).click();
    await group(anna).getByText("2 people voted").waitFor();
    await group(anna).getByRole("button", { name: "End the poll" }).click();
    await group(ben).getByText("Ended, 2 people voted").waitFor();
  });

  test("after a reload everything is as it was", async () => {
    for (const person of [anna, ben]) {
      await person.open(roomId);
      const canary = person.message("Canary is live on ten percent").first();
      await canary.getByRole("button", { name: "edited" }).first().waitFor();
      await canary.getByRole("button", { name: "👍, 1 person" }).waitFor();
      await person
        .message("Fewer reconnects")
        .first()
        .getByRole("button", { name: /3 replies/ })
        .waitFor();
      await logOf(person).getByText("Deleted: typed by the cat").waitFor();
    }
  });
});

describe("what messages carry", () => {
  let anna;
  let roomId;

  before(async () => {
    anna = await world.person("carla");
    roomId = await anna.createRoom({ name: "gallery" });
    await anna.open(roomId);
  });

  after(() => assert.deepEqual(anna.complaints, []));

  test("pictures open, turn, grow and close, and the focus is where it was", async () => {
    const { page } = anna;
    for (const [name, colour] of [
      ["first.png", "#45dfbf"],
      ["second.png", "#5a93ff"],
    ]) {
      const buffer = await drawn(page, colour);
      const { content_uri: url } = await upload(anna, name, "image/png", buffer);
      await anna.send(roomId, {
        msgtype: "m.image",
        body: name,
        url,
        info: { w: 640, h: 320, mimetype: "image/png", size: buffer.length },
      });
    }
    const opener = page.getByRole("button", { name: "Open the picture first.png" });
    await opener.focus();
    await page.keyboard.press("Enter");
    const viewer = page.getByRole("dialog", { name: "Picture" });
    const picture = viewer.getByRole("img", { name: "first.png" });
    await viewer.getByText("1 of 2").waitFor();
    assert.deepEqual(await shownSize(picture), [640, 320]);
    await viewer.getByRole("button", { name: "Larger" }).click();
    assert.deepEqual(await shownSize(picture), [960, 480]);
    await viewer.getByRole("button", { name: "Next picture" }).click();
    await viewer.getByRole("img", { name: "second.png" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await picture.waitFor();
    await assertAccessible(page, "a picture");
    await page.keyboard.press("Escape");
    await viewer.waitFor({ state: "detached" });
    await page.waitForFunction(() =>
      document.activeElement?.getAttribute("aria-label")?.includes("first.png"),
    );
  });

  test("a video plays where it stands", async () => {
    const { page } = anna;
    const buffer = await filmed(page);
    const { content_uri: url } = await upload(anna, "demo.webm", "video/webm", buffer);
    await anna.send(roomId, {
      msgtype: "m.video",
      body: "demo.webm",
      url,
      info: { w: 320, h: 180, mimetype: "video/webm", size: buffer.length, duration: 65_000 },
    });
    const poster = page.getByRole("button", { name: "Play the video demo.webm" });
    await poster.getByText("1:05").waitFor();
    await poster.click();
    await page.waitForFunction(() => {
      const video = document.querySelector('video[aria-label="demo.webm"]');
      return video?.videoWidth === 320 && (video.currentTime > 0 || video.ended);
    });
  });

  test("a link shows what its page says of itself, as the server saw it", async () => {
    const asked = [];
    const site = createServer((request, answer) => {
      asked.push(request.headers["user-agent"]);
      answer.setHeader("content-type", "text/html");
      answer.end(`<meta property="og:title" content="Canary report"><meta property="og:site_name" content="Northwind">
        <meta property="og:description" content="Five percent of the edge">`);
    });
    await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
    try {
      const address = `http://127.0.0.1:${site.address().port}/report`;
      await anna.say(`Read ${address}`);
      const card = anna.message("Read http").getByRole("link", { name: "Canary report" });
      await card.getByText("Five percent of the edge").waitFor();
      assert.equal(await card.getAttribute("href"), address);
      assert.ok(
        asked.length > 0 && asked.every((agent) => !agent?.includes("Chrome")),
        "the browser never asks",
      );
    } finally {
      site.close();
    }
  });

  test("a day leads to its first message, and one without messages says so", async () => {
    const { page } = anna;
    for (let index = 0; index < 60; index++) await anna.sendText(roomId, `line ${index} `.repeat(12));
    await anna.message("line 59").waitFor();
    const beginning = page.getByText("This is where gallery begins");
    const goTo = async (day) => {
      await page.getByLabel("Day").fill(day);
      await page.getByRole("button", { name: "Go there" }).click();
    };
    await page.getByRole("button", { name: "Menu of gallery" }).first().click();
    await page.getByRole("menuitem", { name: "Go to a day" }).click();
    await goTo("2999-01-01");
    await page.getByText("Nothing was said on that day or after it.").waitFor();
    await goTo(await page.evaluate(() => new Date().toLocaleDateString("sv")));
    await page.waitForFunction(
      (text) => {
        const box = [...document.querySelectorAll("p")]
          .find((line) => line.textContent === text)
          ?.getBoundingClientRect();
        return box && box.top > 0 && box.bottom < innerHeight;
      },
      await beginning.textContent(),
    );
    await page.getByRole("button", { name: "To the newest" }).click();
    await anna.message("line 59").waitFor();
  });
});

/** Gives the server a file, as somebody's client would. */
async function upload(person, name, type, buffer) {
  const response = await fetch(`${world.origin}/_matrix/media/v3/upload?filename=${name}`, {
    method: "POST",
    headers: { authorization: `Bearer ${person.account.accessToken}`, "content-type": type },
    body: buffer,
  });
  assert.equal(response.status, 200);
  return response.json();
}

/** A PNG of 640 by 320, drawn by the browser. */
async function drawn(page, colour) {
  const base64 = await page.evaluate((fill) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 320 });
    const brush = canvas.getContext("2d");
    brush.fillStyle = fill;
    brush.fillRect(0, 0, 640, 160);
    return canvas.toDataURL("image/png").split(",")[1];
  }, colour);
  return Buffer.from(base64, "base64");
}

/** Some pictures of a canvas of 320 by 180 as WebM, recorded by the browser. */
async function filmed(page) {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
    const brush = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const hasEnded = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    for (let index = 0; index < 20; index++) {
      brush.fillStyle = `hsl(${index * 18} 80% 50%)`;
      brush.fillRect(0, 0, 320, 180);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await hasEnded;
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  return Buffer.from(bytes);
}

const shownSize = (picture) =>
  picture.evaluate(async (image) => {
    await image.decode();
    await new Promise(requestAnimationFrame);
    return [image.clientWidth, image.clientHeight];
  });

/** The channel's own messages; others are the thread's, and what tells screen readers of news. */
const logOf = ({ page }) => page.getByRole("log", { name: "Messages", exact: true });

/** Does something to the first message with this text, by its toolbar or by the menu in it. */
async function act(person, text, name, { fromMenu = false } = {}) {
  const message = person.message(text).first();
  await message.hover();
  if (!fromMenu) return message.getByRole("button", { name, exact: true }).click();
  await message.getByRole("button", { name: "More", exact: true }).click();
  await person.page.getByRole("menuitem", { name: new RegExp(`^${name}`) }).click();
}
