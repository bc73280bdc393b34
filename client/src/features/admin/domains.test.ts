import { expect, test } from "vitest";
import { pathOf, titleOf } from "./domains";

test("the main domain of a directory is asked without a name, others by theirs", () => {
  expect(pathOf("plan", "")).toBe("directory/plan");
  expect(pathOf("sync", "sales & more")).toBe("directory/sync?domain=sales%20%26%20more");
  expect(titleOf("Dry run", "")).toBe("Dry run");
  expect(titleOf("Dry run", "sales")).toBe("Dry run: sales");
});
