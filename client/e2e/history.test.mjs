// A channel with a past: reading far back and coming back, with nothing moving under the reader's eyes.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { World } from "./lib/world.mjs";

const MESSAGES = 800;
const AT_ONCE = 25;
/** Rows in the document at most, whatever was scrolled through. */
const ROWS_MAX = 120;
/** How far the row that is read may ever be from where it was. */
const MOVED_PX_MAX = 2;

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
      await log.evaluate((element) => {
        element.scrollTop = -(element.scrollHeight - element.clientHeight * 2.2);
      });
      await held.isAsked;
      await rests();
      const height = await heightOfAll();
      const watched = await watchMiddle();
      held.release();
      await anna.page.waitForFunction(hasGrown, height);
      await frames();
      await stays(watched);
      await held.end();
      assert.ok((await rows()) < ROWS_MAX);
    }
  });

  test("nor do messages that become longer or shorter, above or below", async () => {
    const watched = await watchMiddle();
    for (const [side, words] of [
      ["above", "a much longer text ".repeat(60)],
      ["below", "a much longer text ".repeat(60)],
      ["above", "short"],
      ["below", "short"],
    ]) {
      const eventId = await neighbour(side);
      await anna.send(roomId, {
        msgtype: "m.text",
        body: `* ${words}`,
        "m.new_content": { msgtype: "m.text", body: `now ${side}: ${words}` },
        "m.relates_to": { rel_type: "m.replace", event_id: eventId },
      });
      await anna.message(`now ${side}: ${words}`.trim()).first().waitFor({ state: "attached" });
      await frames();
    }
    await stays(watched);
  });

  test("a fast flick never stops before the beginning", { timeout: 60_000 }, async ({ signal }) => {
    let words = "";
    while (!signal.aborted && !words.includes("This is where history begins")) {
      words = await log.evaluate((element) => {
        element.scrollTop = -element.scrollHeight;
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
    await log.evaluate((element) => {
      element.scrollTop = -1_200;
    });
    await anna.page.getByRole("button", { name: "To the newest" }).waitFor();
    await rests();
    const watched = await watchMiddle();
    await sendAs(ben, "one more below");
    await anna.page.getByRole("button", { name: "1 new message" }).waitFor();
    await stays(watched);
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
    const watched = await watch(await target.getAttribute("data-key"));
    await anna.page.waitForFunction((more) => {
      const element = document.querySelector('[role="log"][aria-label="Messages"]');
      const above = element.scrollHeight - element.clientHeight + element.scrollTop;
      return Math.min(above, -element.scrollTop) > element.clientHeight * more;
    }, 2);
    await rests();
    await stays(watched);
    assert.ok(await isOnScreen(target));
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
    assert.ok((await rows()) < ROWS_MAX);
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
  /** When the heights of what a jump showed are known, and nothing moves any more. */
  const rests = () =>
    log.evaluate(async (element) => {
      const tops = () =>
        [...element.querySelectorAll("article")]
          .map((row) => `${row.dataset.key} ${row.getBoundingClientRect().top}`)
          .join();
      const frame = () => new Promise(requestAnimationFrame);
      for (let before = ""; before !== tops(); await frame(), await frame()) before = tops();
    });
  const watchMiddle = async () =>
    watch(
      await log.evaluate((element) => {
        const middle = element.getBoundingClientRect().top + element.clientHeight / 2;
        const rows = [...element.querySelectorAll("article")];
        return rows.find((row) => row.getBoundingClientRect().bottom > middle).dataset.key;
      }),
    );
  /**
   * Looks at a row in every frame, when all that observes sizes has had its say and the frame is about to be painted.
   * What it gives tells how far from its place it ever was, and ends the watch.
   */
  const watch = (key) =>
    log.evaluateHandle((element, wanted) => {
      const topOf = () =>
        [...element.querySelectorAll("article")]
          .find(({ dataset }) => dataset.key === wanted)
          ?.getBoundingClientRect().top ?? Number.NaN;
      const place = topOf();
      const tops = [];
      const probe = document.body.appendChild(document.createElement("div"));
      Object.assign(probe.style, { position: "fixed", visibility: "hidden", width: "1px", height: "1px" });
      const observer = new ResizeObserver(() => tops.push(topOf()));
      observer.observe(probe);
      let isWatching = true;
      const turn = () => {
        if (!isWatching) return;
        probe.style.height = `${1 + (tops.length % 2)}px`;
        requestAnimationFrame(turn);
      };
      requestAnimationFrame(turn);
      return () => {
        isWatching = false;
        observer.disconnect();
        probe.remove();
        return { frames: tops.length, moved: Math.max(...tops.map((top) => Math.abs(top - place))) };
      };
    }, key);
  const stays = async (watched) => {
    const { frames: seen, moved } = await watched.evaluate((end) => end());
    assert.ok(seen > 0 && moved <= MOVED_PX_MAX, `moved by up to ${moved} px in ${seen} frames`);
  };
  /** The message that begins nearest to the log's edge on this side, and is not on the screen. */
  const neighbour = (side) =>
    log.evaluate((element, where) => {
      const { top, bottom } = element.getBoundingClientRect();
      const rows = [...element.querySelectorAll("article")];
      const row =
        where === "above"
          ? rows.findLast((candidate) => candidate.getBoundingClientRect().bottom < top)
          : rows.find((candidate) => candidate.getBoundingClientRect().top > bottom);
      return row.dataset.key;
    }, side);
  const isOnScreen = (row) =>
    row.evaluate((element) => {
      const box = element.getBoundingClientRect();
      const frame = element.closest('[role="log"]').getBoundingClientRect();
      return box.top >= frame.top && box.bottom <= frame.bottom;
    });
  const atEnd = () =>
    anna.page.waitForFunction(() => {
      const element = document.querySelector('[role="log"][aria-label="Messages"]');
      return element.scrollTop > -4 && element.scrollHeight > element.clientHeight;
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
