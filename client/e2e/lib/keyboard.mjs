// Somebody without a mouse: every key is followed by a look at where the focus is, and whether one sees it there.

import assert from "node:assert/strict";
import { until } from "../../../tests/clients/lib/until.mjs";

/** More stops than any screen has; whoever needs more goes in a circle. */
const STOPS_MAX = 150;
const PATIENCE_MS = 10_000;

export class Keyboard {
  constructor({ page }) {
    this.page = page;
  }

  /** Presses a key, and waits until the focus stands where it can be seen. */
  async press(key, { times = 1 } = {}) {
    for (let time = 0; time < times; time++) {
      await this.page.keyboard.press(key);
      await this.isSeen(`after ${key}`);
    }
  }

  /** Writes where the focus is, in place of what stands there. */
  async write(text) {
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.type(text);
    await this.isSeen(`after writing ${text}`);
  }

  /** Goes on by Tab, or back by Shift+Tab, until this has the focus. */
  async to(target, { back = false } = {}) {
    await target.waitFor();
    const passed = [];
    for (let stop = 0; stop < STOPS_MAX; stop++) {
      if (await this.isAt(target)) return;
      const key = back ? "Shift+Tab" : "Tab";
      await this.page.keyboard.press(key);
      // After the last stop of the page comes the browser itself, and then the first one again.
      if (await this.page.evaluate(() => document.activeElement === document.body))
        passed.push("(the browser)");
      else await this.isSeen(`after ${key}`);
      passed.push(await this.place());
    }
    assert.fail(`Tab never comes to ${target}; it passed ${passed.slice(0, 60).join(" | ")}`);
  }

  /** Goes there and presses Enter. */
  async enter(target, options) {
    await this.to(target, options);
    await this.press("Enter");
  }

  /** Goes there and presses Space: switches, choices, check boxes. */
  async space(target, options) {
    await this.to(target, options);
    await this.press("Space");
  }

  /** Goes to a field and writes into it. */
  async fill(target, text, options) {
    await this.to(target, options);
    await this.write(text);
  }

  /** Opens a list or a menu and takes what is called so. */
  async choose(opener, name, options) {
    await this.enter(opener, options);
    await this.take(name);
  }

  /** Takes an entry of the list or menu that is open. */
  async take(name) {
    const entry = ["option", "menuitem", "menuitemradio"]
      .map((role) => this.page.getByRole(role, { name, exact: typeof name === "string" }))
      .reduce((one, other) => one.or(other));
    await entry.waitFor();
    await until(
      `an entry of the list with ${name} has the focus`,
      () => this.page.evaluate(() => document.activeElement?.getAttribute("role") ?? ""),
      (role) => /option|menuitem/.test(role),
      PATIENCE_MS,
    );
    await this.press("Home");
    for (let stop = 0; !(await this.isAt(entry)); stop++) {
      assert.ok(stop < STOPS_MAX, `the arrows never come to ${name}`);
      await this.press("ArrowDown");
    }
    await this.press("Enter");
  }

  isAt(target) {
    return target.evaluate((element) => element === document.activeElement);
  }

  /** Waits until this, or one of several, has the focus, without a key. */
  async isSoonAt(target, what = String(target)) {
    await until(
      `the focus is at ${what}`,
      async () => {
        const isThere = await target.evaluateAll((all) => all.includes(document.activeElement));
        return isThere || this.place();
      },
      (seen) => seen === true,
      PATIENCE_MS,
    );
  }

  /** Where the focus is, in words. */
  place() {
    return this.page.evaluate(() => {
      const { activeElement: at } = document;
      if (!at) return "nowhere";
      const words = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent ?? "";
      return `${at.localName} "${words.trim().slice(0, 40)}"`;
    });
  }

  /** Waits until the focus is somewhere, marked, and not hidden below something else. */
  async isSeen(when) {
    await until(
      `the focus is seen ${when}`,
      () => this.page.evaluate(blemish),
      (found) => found === "",
      PATIENCE_MS,
    );
  }
}

/** What is wrong with the focus, in words; runs in the page. */
function blemish() {
  const { activeElement: at } = document;
  if (!at || at === document.body) return "nothing has the focus";
  const words = `${at.outerHTML.slice(0, 160)}`;
  if (at.matches(":disabled")) return `it cannot be used: ${words}`;
  // Windows, panels and lists that have the focus as a whole until one moves on.
  if (at.tabIndex < 0 && !/option|menuitem|radio|tab$/.test(at.getAttribute("role") ?? "")) return "";
  // A control that is drawn by what stands around it, as switches are.
  const drawn = at.closest("label") ?? at;
  const chain = [];
  for (let part = at; part && chain.length < 5; part = part.parentElement) chain.push(part);
  const isMarked = chain.some((part) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(part);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1;
  });
  const isInList = /option|menuitem/.test(at.getAttribute("role") ?? "");
  const isFilled = isInList && getComputedStyle(at).backgroundColor !== "rgba(0, 0, 0, 0)";
  // The composer, whose frame has the colour of its caret while one writes.
  const isFramed = chain.some(
    (part) =>
      at.localName === "textarea" &&
      getComputedStyle(part).borderTopColor === getComputedStyle(at).caretColor,
  );
  if (!isMarked && !isFilled && !isFramed) return `it has no mark: ${words}`;
  const { left, right, top, bottom } = drawn.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const points = [
    [x, y],
    [left + 3, y],
    [right - 3, y],
    [x, top + 3],
    [x, bottom - 3],
  ];
  const isUncovered = points.some(([left, top]) => {
    const found = document.elementFromPoint(left, top);
    return found && (drawn.contains(found) || found.contains(drawn));
  });
  return isUncovered ? "" : `it is out of sight: ${words}`;
}
