import { expect, test } from "vitest";
import { PoorWatch, qualityOf, worse } from "./quality";

test("delay and loss decide what a connection feels like", () => {
  expect(qualityOf(undefined, 0)).toBe("unknown");
  expect(qualityOf(34, 0)).toBe("excellent");
  expect(qualityOf(34, 0.03)).toBe("good");
  expect(qualityOf(250, 0)).toBe("good");
  expect(qualityOf(600, 0)).toBe("poor");
  expect(qualityOf(30, 0.2)).toBe("poor");
});

test("the worse of two counts, and what is known before what is not", () => {
  expect(worse("good", "poor")).toBe("poor");
  expect(worse("unknown", "excellent")).toBe("excellent");
  expect(worse("lost", "unknown")).toBe("lost");
});

test("low bandwidth is offered after ten poor seconds without a break, and not again after a no", () => {
  const watch = new PoorWatch();
  expect(watch.see("poor", 0)).toBe(false);
  expect(watch.see("good", 8_000)).toBe(false);
  expect(watch.see("poor", 9_000)).toBe(false);
  expect(watch.see("lost", 18_900)).toBe(false);
  expect(watch.see("poor", 19_000)).toBe(true);
  watch.dismiss();
  expect(watch.see("poor", 60_000)).toBe(false);
});
