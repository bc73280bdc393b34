import { expect, test } from "vitest";
import { TrimMarks } from "./trim-marks";

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `$${from + index}`);

test("a timeline is cut where a sync answer began, and keeps what it must", () => {
  const marks = new TrimMarks();
  for (const [index, id] of ids(0, 200).entries()) marks.take(id, `s${Math.floor(index / 10)}`);
  expect(marks.cutFor(ids(0, 200), 60)).toEqual({ eventId: "$140", token: "s14", index: 140 });
});

test("nothing is cut where no place leaves enough, or where no token is known", () => {
  const marks = new TrimMarks();
  for (const id of ids(0, 100)) marks.take(id, undefined);
  expect(marks.cutFor(ids(0, 100), 60)).toBeUndefined();
  marks.take("$100", "s1");
  expect(marks.cutFor(ids(0, 101), 60)).toBeUndefined();
});

test("what was fetched above the first events is cut off again at the token that was there", () => {
  const marks = new TrimMarks();
  marks.takeStart({ eventId: "$500", token: "t500" });
  marks.takeStart({ eventId: "$500", token: "t500" });
  expect(marks.cutFor(ids(0, 600), 60)).toEqual({ eventId: "$500", token: "t500", index: 500 });
  // An event that is gone is no place any more.
  expect(marks.cutFor(ids(501, 600), 60)).toBeUndefined();
});
