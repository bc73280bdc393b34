import { expect, test } from "vitest";
import { highlight } from "./highlight";

test("code becomes data with kinds", async () => {
  const nodes = await highlight("let x = 64; // <b>", "rs");
  expect(nodes).toContainEqual({ scope: "keyword", children: ["let"] });
  expect(nodes).toContainEqual({ scope: "number", children: ["64"] });
  expect(nodes?.at(-1)).toEqual({ scope: "comment", children: expect.arrayContaining([expect.any(String)]) });
});

test("unknown languages stay plain", async () => {
  expect(await highlight("x", "klingon")).toBeUndefined();
  expect(await highlight("x", "constructor")).toBeUndefined();
});
