import { expect, test } from "vitest";
import { RowHeights, rowAt, spanAround } from "./row-heights";

const ROWS = Array.from({ length: 100 }, (_, index) => ({ key: `row ${index}` }));
const SCREEN = { height: 300, ahead: 100 };

function everyRowHigh(height: number): RowHeights {
  const heights = new RowHeights();
  for (const { key } of ROWS) heights.note(key, height);
  return heights;
}

test("rows that were never seen count as the average of the others", () => {
  const heights = new RowHeights();
  heights.note("a", 20);
  heights.note("b", 60);
  expect(heights.of("c")).toBe(40);
  heights.note("b", 80);
  expect(heights.of("c")).toBe(50);
});

test("only so many heights are remembered", () => {
  const heights = new RowHeights();
  for (let index = 0; index < 5_000; index++) heights.note(String(index), index < 1_000 ? 1_000 : 10);
  expect(heights.of("0")).toBe(10);
});

test("what is shown reaches beyond the screen on both sides", () => {
  expect(spanAround(ROWS, everyRowHigh(50), { index: 50, top: 100 }, SCREEN)).toEqual({ from: 46, to: 56 });
});

test("at an end nothing is beyond it", () => {
  expect(spanAround(ROWS, everyRowHigh(50), { index: 0, top: 0 }, SCREEN)).toEqual({ from: 0, to: 8 });
  expect(spanAround(ROWS, everyRowHigh(50), { index: 99, top: 250 }, SCREEN)).toEqual({ from: 92, to: 100 });
});

test("the row that is held is shown even where it is off the screen", () => {
  expect(spanAround(ROWS, everyRowHigh(50), { index: 50, top: 900 }, SCREEN).to).toBe(51);
  expect(spanAround(ROWS, everyRowHigh(50), { index: 50, top: -900 }, SCREEN).from).toBe(50);
});

test("a place among rows that are not shown leads to a row", () => {
  const heights = everyRowHigh(50);
  expect(rowAt(ROWS, heights, { from: 0, to: 100 }, 120)).toEqual({ index: 2, top: -20 });
  expect(rowAt(ROWS, heights, { from: 90, to: 100 }, 0)).toEqual({ index: 90, top: 0 });
  expect(rowAt(ROWS, heights, { from: 0, to: 3 }, 9_000).index).toBe(2);
});
