// The accessibility check of what a page shows now.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** Fails with a line for each violation of WCAG A and AA; `where` names the screen. */
export async function assertAccessible(page, where) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const violations = await page.evaluate(async (values) => {
    // Colours are judged as they are, not half faded in. What turns for ever, as spinners do, has no end to wait for.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
    await Promise.all(ending.map((animation) => animation.finished.catch(() => {})));
    // What React Aria says aloud for a moment names things by their label, which may be gone by now.
    const context = { include: [["html"]], exclude: [["[data-live-announcer]"]] };
    const { violations } = await window.axe.run(context, {
      runOnly: { type: "tag", values },
      // An experiment of axe's that takes the initials in a picture, which are decoration, for words of its label.
      rules: { "label-content-name-mismatch": { enabled: false } },
    });
    return violations.map(({ id, nodes }) => [
      id,
      ...nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)}: ${failureSummary}`),
    ]);
  }, RULES);
  assert.deepEqual(violations, [], `axe on ${where}`);
}
