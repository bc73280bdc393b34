// A channel with a past: reading far back and coming back, with nothing moving under the reader's eyes.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { World } from "./lib/world.mjs";

const MESSAGES = 800;
const AT_ONCE = 25;
/** Rows in the document at most, whatever was scrolled through. */
const ROWS_MAX = 120;

const world = World.forTests();

describe("a long history", () => {
  let anna;
  let ben;
  let roomId;
  let log;

  before(async () => {
    [anna, ben] = [await world.person("anna"), await world.account("ben")];
    const other = { userId: ben.userId, call: (...request) => callAs(ben, ...request) };
    roomId = await anna.createRoom({ name: "history", members: [other] });
    for (let from = 0; from < MESSAGES; from += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) => anna.sendText(roomId, wordsOf(from + index))),
      );
    }
    log = anna.page.getByRole("log", { name: "Messages", exact: true });
    await anna.page.goto(`${world.origin}/room/${encodeURIComponent(roomId)}`);
    await log.getByRole("article").last().waitFor();
  });

  test("it opens at its end, and only what is near exists", async () => {
    await atEnd();
    assert.ok((await rows()) < ROWS_MAX);
  });

  test("older messages come without moving those that are read", async () => {
    for (let page = 0; page < 8; page++) {
      const held = await holdPages();
      await log.evaluate((element) => element.scrollTo(0, element.clientHeight * 1.2));
      await held.isAsked;
      const anchor = await restingRow();
      const height = await heightOfAll();
      held.release();
      await anna.page.waitForFunction(hasGrown, height);
      // The pictures of two frames later are what a reader sees.
      await frames();
      const after = await topOf(anchor.key);
      await held.end();
      assert.ok(after !== undefined, "the row that was read is still there");
      assert.ok(Math.abs(after - anchor.top) <= 1, `moved by ${after - anchor.top} px`);
      assert.ok((await rows()) < ROWS_MAX);
    }
  });

  test("a fast flick never stops before the beginning", { timeout: 60_000 }, async () => {
    let words = "";
    while (!words.includes("This is where history begins")) {
      words = await log.evaluate((element) => {
        element.scrollTop = 0;
        return element.textContent;
      });
      await frames();
    }
    assert.ok((await rows()) < ROWS_MAX);
  });

  test("one button leads back to the end, and there new messages are followed", async () => {
    await anna.page.getByRole("button", { name: "To the newest" }).click();
    await atEnd();
    await sendAs(ben, "something new at the end");
    await anna.message("something new at the end").waitFor();
    await atEnd();
  });

  test("who reads above is told of new messages and not moved", async () => {
    await log.evaluate((element) => element.scrollBy(0, -1_200));
    await anna.page.getByRole("button", { name: "To the newest" }).waitFor();
    await frames();
    const anchor = await middleRow();
    await sendAs(ben, "one more below");
    await anna.page.getByRole("button", { name: "1 new message" }).waitFor();
    assert.ok(Math.abs((await topOf(anchor.key)) - anchor.top) <= 1);
    await anna.page.getByRole("button", { name: "1 new message" }).click();
    await anna.message("one more below").waitFor();
  });

  test("a link to an old message opens there", async () => {
    const { chunk } = await anna.call("GET", `rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=200`);
    const old = chunk.filter(({ type }) => type === "m.room.message")[90];
    const address = `/room/${encodeURIComponent(roomId)}?event=${encodeURIComponent(old.event_id)}`;
    await anna.page.goto(world.origin + address);
    const shown = await anna.page.waitForFunction(
      () =>
        document.querySelector('[role="log"][aria-label="Messages"] article[class*="target"]')?.textContent,
    );
    assert.ok((await shown.jsonValue()).includes(old.content.body.slice(0, 40)));
    await anna.page.getByRole("button", { name: "To the newest" }).click();
    await atEnd();
    assert.deepEqual(anna.complaints, []);
  });

  // --- What the stories ask of the page -----------------------------------------------------------------

  const rows = () => log.getByRole("article").count();
  const heightOfAll = () => log.evaluate((element) => element.scrollHeight);
  /** Keeps the server's pages of history back, so that a story decides when they come. */
  async function holdPages() {
    const pages = /\/rooms\/[^/]+\/messages/;
    let release;
    let tellAsked;
    const isReleased = new Promise((resolve) => {
      release = resolve;
    });
    const isAsked = new Promise((resolve) => {
      tellAsked = resolve;
    });
    await anna.page.route(pages, async (route) => {
      tellAsked();
      await isReleased;
      await route.continue();
    });
    return { isAsked, release, end: () => anna.page.unroute(pages) };
  }
  const frames = () =>
    anna.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  const middleRow = () =>
    log.evaluate((element) => {
      const middle = element.getBoundingClientRect().top + element.clientHeight / 2;
      const row = [...element.querySelectorAll("article")].find(
        (candidate) => candidate.getBoundingClientRect().bottom > middle,
      );
      return { key: row.dataset.key, top: row.getBoundingClientRect().top };
    });
  /** The same once the heights of what a jump showed are known and nothing moves any more. */
  async function restingRow() {
    for (;;) {
      const before = await middleRow();
      await frames();
      await frames();
      const row = await middleRow();
      if (row.key === before.key && row.top === before.top) return row;
    }
  }
  const topOf = (key) =>
    log.evaluate((element, wanted) => {
      const row = [...element.querySelectorAll("article")].find(({ dataset }) => dataset.key === wanted);
      return row?.getBoundingClientRect().top;
    }, key);
  const atEnd = () =>
    anna.page.waitForFunction(() => {
      const element = document.querySelector('[role="log"][aria-label="Messages"]');
      return element.scrollHeight - element.clientHeight - element.scrollTop < 4 && element.scrollTop > 0;
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
