// How the stories look at a log of messages: what is in it, and whether what is read stays where it is.

import assert from "node:assert/strict";

/** How far the row that is read may ever be from where it was. */
const MOVED_PX_MAX = 2;

/** A log that somebody reads: `name` is what it is called, a channel's or a thread's. */
export class Reading {
  constructor(page, name = "Messages") {
    this.page = page;
    this.name = name;
    this.log = page.getByRole("log", { name, exact: true });
  }

  rows = () => this.log.getByRole("article").count();
  heightOfAll = () => this.log.evaluate((element) => element.scrollHeight);

  /** Keeps back what the server answers at addresses like this, so that a story decides when it comes. */
  async hold(addresses) {
    let release;
    let tellAsked;
    const isReleased = new Promise((resolve) => {
      release = resolve;
    });
    const isAsked = new Promise((resolve) => {
      tellAsked = resolve;
    });
    await this.page.route(addresses, async (route) => {
      tellAsked();
      await isReleased;
      await route.continue();
    });
    return { isAsked, release, end: () => this.page.unroute(addresses) };
  }

  frames = () =>
    this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );

  /** When the heights of what a jump showed are known, and nothing moves any more. */
  rests = () =>
    this.log.evaluate(async (element) => {
      const tops = () =>
        [...element.querySelectorAll("article")]
          .map((row) => `${row.dataset.key} ${row.getBoundingClientRect().top}`)
          .join();
      const frame = () => new Promise(requestAnimationFrame);
      for (let before = ""; before !== tops(); await frame(), await frame()) before = tops();
    });

  watchMiddle = async () =>
    this.watch(
      await this.log.evaluate((element) => {
        const middle = element.getBoundingClientRect().top + element.clientHeight / 2;
        const rows = [...element.querySelectorAll("article")];
        return rows.find((row) => row.getBoundingClientRect().bottom > middle).dataset.key;
      }),
    );

  /**
   * Looks at a row in every frame, when all that observes sizes has had its say and the frame is about to be painted.
   * What it gives tells how far from its place it ever was, and ends the watch.
   */
  watch = (key) =>
    this.log.evaluateHandle((element, wanted) => {
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

  stays = async (watched) => {
    const { frames: seen, moved } = await watched.evaluate((end) => end());
    assert.ok(seen > 0 && moved <= MOVED_PX_MAX, `moved by up to ${moved} px in ${seen} frames`);
  };

  /** The message that begins nearest to the log's edge on this side, and is not on the screen. */
  neighbour = (side) =>
    this.log.evaluate((element, where) => {
      const { top, bottom } = element.getBoundingClientRect();
      const rows = [...element.querySelectorAll("article")];
      const row =
        where === "above"
          ? rows.findLast((candidate) => candidate.getBoundingClientRect().bottom < top)
          : rows.find((candidate) => candidate.getBoundingClientRect().top > bottom);
      return row.dataset.key;
    }, side);

  isOnScreen = (row) =>
    row.evaluate((element) => {
      const box = element.getBoundingClientRect();
      const frame = element.closest('[role="log"]').getBoundingClientRect();
      return box.top >= frame.top && box.bottom <= frame.bottom;
    });

  atEnd = () =>
    this.page.waitForFunction((name) => {
      const element = document.querySelector(`[role="log"][aria-label="${name}"]`);
      return element && element.scrollTop > -4 && element.scrollHeight > element.clientHeight;
    }, this.name);
}
