// A channel with a past: reading far back and coming back, with nothing moving under the reader's eyes.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Reading } from "./lib/reading.mjs";
import { World } from "./lib/world.mjs";

const MESSAGES = 800;
const AT_ONCE = 25;
/** Rows in the document at most, whatever was scrolled through. */
const ROWS_MAX = 120;
const PAGES = /\/rooms\/[^/]+\/messages/;

const world = World.forTests();

describe("a long history", () => {
  let anna;
  let ben;
  let roomId;
  let log;
  let reading;

  before(async () => {
    [anna, ben] = [await world.person("anna"), await world.account("ben")];
    const other = { userId: ben.userId, call: (...request) => callAs(ben, ...request) };
    roomId = await anna.createRoom({ name: "history", members: [other] });
    for (let from = 0; from < MESSAGES; from += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) => anna.sendText(roomId, wordsOf(from + index))),
      );
    }
    reading = new Reading(anna.page);
    log = reading.log;
    await anna.page.goto(`${world.origin}/room/${encodeURIComponent(roomId)}`);
    await log.getByRole("article").last().waitFor();
  });

  test("it opens at its end, and only what is near exists", async () => {
    await reading.atEnd();
    assert.ok((await reading.rows()) < ROWS_MAX);
  });

  test("older messages come without moving those that are read", async () => {
    for (let page = 0; page < 8; page++) {
      const held = await reading.hold(PAGES);
      await log.evaluate((element) => {
        element.scrollTop = -(element.scrollHeight - element.clientHeight * 2.2);
      });
      await held.isAsked;
      await reading.rests();
      const height = await reading.heightOfAll();
      const watched = await reading.watchMiddle();
      held.release();
      await anna.page.waitForFunction(hasGrown, height);
      await reading.frames();
      await reading.stays(watched);
      await held.end();
      assert.ok((await reading.rows()) < ROWS_MAX);
    }
  });

  test("nor do messages that become longer or shorter, above or below", async () => {
    const watched = await reading.watchMiddle();
    for (const [side, words] of [
      ["above", "a much longer text ".repeat(60)],
      ["below", "a much longer text ".repeat(60)],
      ["above", "short"],
      ["below", "short"],
    ]) {
      const eventId = await reading.neighbour(side);
      await anna.send(roomId, {
        msgtype: "m.text",
        body: `* ${words}`,
        "m.new_content": { msgtype: "m.text", body: `now ${side}: ${words}` },
        "m.relates_to": { rel_type: "m.replace", event_id: eventId },
      });
      await anna.message(`now ${side}: ${words}`.trim()).first().waitFor({ state: "attached" });
      await reading.frames();
    }
    await reading.stays(watched);
  });

  test("a fast flick never stops before the beginning", { timeout: 60_000 }, async ({ signal }) => {
    let words = "";
    while (!signal.aborted && !words.includes("This is where history begins")) {
      words = await log.evaluate((element) => {
        element.scrollTop = -element.scrollHeight;
        return element.textContent;
      });
      await reading.frames();
    }
    assert.ok((await reading.rows()) < ROWS_MAX);
  });

  test("one button leads back to the end, and there new messages are followed", async () => {
    await anna.page.getByRole("button", { name: "To the newest" }).click();
    await reading.atEnd();
    await sendAs(ben, "something new at the end");
    await anna.message("something new at the end").waitFor();
    await reading.atEnd();
  });

  test("who reads above is told of new messages and not moved", async () => {
    await log.evaluate((element) => {
      element.scrollTop = -1_200;
    });
    await anna.page.getByRole("button", { name: "To the newest" }).waitFor();
    await reading.rests();
    const watched = await reading.watchMiddle();
    await sendAs(ben, "one more below");
    await anna.page.getByRole("button", { name: "1 new message" }).waitFor();
    await reading.stays(watched);
    await anna.page.getByRole("button", { name: "1 new message" }).click();
    await anna.message("one more below").waitFor();
  });

  test("a link to an old message opens there", async () => {
    const { chunk } = await anna.call("GET", `rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=200`);
    const old = chunk.filter(({ type }) => type === "m.room.message")[90];
    const address = `/room/${encodeURIComponent(roomId)}?event=${encodeURIComponent(old.event_id)}`;
    await anna.page.goto(world.origin + address);
    const target = log.locator('article[class*="target"]');
    await target.filter({ hasText: old.content.body.slice(0, 40) }).waitFor();
    // What is around it comes page by page, and it stays where it was shown.
    const watched = await reading.watch(await target.getAttribute("data-key"));
    await anna.page.waitForFunction((more) => {
      const element = document.querySelector('[role="log"][aria-label="Messages"]');
      const above = element.scrollHeight - element.clientHeight + element.scrollTop;
      return Math.min(above, -element.scrollTop) > element.clientHeight * more;
    }, 2);
    await reading.rests();
    await reading.stays(watched);
    assert.ok(await reading.isOnScreen(target));
  });

  test("and from there one reads on to the end, without a stop", { timeout: 90_000 }, async () => {
    await anna.page.waitForFunction(
      () => {
        const element = document.querySelector('[role="log"][aria-label="Messages"]');
        element.scrollBy(0, element.clientHeight * 0.8);
        return element.textContent.includes("one more below") && element.scrollTop > -4;
      },
      undefined,
      { polling: "raf", timeout: 60_000 },
    );
    assert.ok((await reading.rows()) < ROWS_MAX);
    await reading.atEnd();
    assert.deepEqual(anna.complaints, []);
  });

  const sendAs = (account, body) =>
    callAs(account, "PUT", `rooms/${encodeURIComponent(roomId)}/send/m.room.message/${Math.random()}`, {
      msgtype: "m.text",
      body,
    });
});

/** By more than a page of history at least is high, not by a row that was measured. */
function hasGrown(before) {
  return document.querySelector('[role="log"][aria-label="Messages"]').scrollHeight > before + 1_000;
}

/** Of mixed length, so that no two neighbours are equally high. */
function wordsOf(index) {
  return `Message ${index}: ${"words of some length ".repeat(1 + ((index * 7) % 23))}`;
}

const callAs = (account, method, path, body) =>
  world.homeserver.call(method, `/_matrix/client/v3/${path}`, { account, body });
