// A thread that half the company has answered in: opened, read back, and answered while somebody reads.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Reading } from "./lib/reading.mjs";
import { World } from "./lib/world.mjs";

const ANSWERS = 500;
/** What is fetched before the end of a thread is shown: its end, and what is around it. */
const PAGES_MAX = 4;
const ROWS_MAX = 120;
const PAGES = /\/relations\//;

const world = World.forTests();

describe("a thread of five hundred answers", () => {
  let anna;
  let ben;
  let roomId;
  let root;
  let thread;

  before(async () => {
    [anna, ben] = [
      await world.visitor(await world.account("anna")),
      await world.visitor(await world.account("ben")),
    ];
    roomId = await anna.createRoom({ name: "long-thread", members: [ben] });
    root = await anna.sendText(roomId, "where it began");
    // One after the other: their order is asked for later.
    for (let number = 1; number <= ANSWERS; number++)
      await answer(ben, `Answer ${number}: ${wordsOf(number)}`);
    await anna.signIn();
    thread = new Reading(anna.page, "Messages of the thread");
  });

  test("it opens at its end, with few pages fetched and few rows made", async () => {
    const asked = [];
    anna.page.on("request", (request) => {
      if (PAGES.test(request.url())) asked.push(request.url());
    });
    await anna.open(roomId);
    await anna
      .message("where it began")
      .getByRole("button", { name: /500 replies/ })
      .click();
    await thread.log.getByText(`Answer ${ANSWERS}:`).waitFor();
    await thread.atEnd();
    assert.ok(asked.length <= PAGES_MAX, `${asked.length} pages: ${asked.join("\n")}`);
    assert.ok((await thread.rows()) < ROWS_MAX);
  });

  test("older answers come without moving those that are read", async () => {
    for (let page = 0; page < 3; page++) {
      const held = await thread.hold(PAGES);
      await thread.log.evaluate((element) => {
        element.scrollTop = -(element.scrollHeight - element.clientHeight * 2.2);
      });
      await held.isAsked;
      await thread.rests();
      const height = await thread.heightOfAll();
      const watched = await thread.watchMiddle();
      held.release();
      await anna.page.waitForFunction(
        ([name, before]) =>
          document.querySelector(`[role="log"][aria-label="${name}"]`).scrollHeight > before + 1_000,
        [thread.name, height],
      );
      await thread.frames();
      await thread.stays(watched);
      await held.end();
    }
  });

  test("nor does a new answer, of which one is told", async () => {
    const watched = await thread.watchMiddle();
    await answer(ben, "one more below");
    const button = anna.page.getByRole("complementary").getByRole("button", { name: "1 new message" });
    await button.waitFor();
    await thread.stays(watched);
    await button.click();
    await thread.log.getByText("one more below").waitFor();
  });

  test("it reads back to what it is about, with every answer once and in order", {
    timeout: 90_000,
  }, async () => {
    const numbers = await thread.log.evaluate(async (log) => {
      const found = [];
      while (!log.textContent.includes("where it began")) {
        const here = [...log.querySelectorAll("article")].flatMap((row) => {
          const [, number] = /Answer (\d+):/.exec(row.textContent) ?? [];
          return number ? [Number(number)] : [];
        });
        const known = here.indexOf(found[0]);
        found.unshift(...(known < 0 ? here : here.slice(0, known)));
        log.scrollBy(0, -log.clientHeight / 2);
        await new Promise(requestAnimationFrame);
      }
      const first = [...log.querySelectorAll("article")].flatMap((row) => {
        const [, number] = /Answer (\d+):/.exec(row.textContent) ?? [];
        return number ? [Number(number)] : [];
      });
      return [...first.slice(0, first.indexOf(found[0])), ...found];
    });
    assert.deepEqual(
      numbers,
      Array.from({ length: ANSWERS }, (_, index) => index + 1),
    );
    assert.ok((await thread.rows()) < ROWS_MAX);
    assert.deepEqual(anna.complaints, []);
  });

  const answer = (person, body) =>
    person.send(roomId, {
      msgtype: "m.text",
      body,
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: root,
        is_falling_back: true,
        "m.in_reply_to": { event_id: root },
      },
    });
});

/** Of mixed length, so that no two neighbours are equally high. */
const wordsOf = (number) => "words of some length ".repeat(1 + ((number * 7) % 13));
