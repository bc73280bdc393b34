import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LICENCES } from "./licences";

const read = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")) as {
    dependencies?: Record<string, string>;
    license?: string;
  };

test("the list names what is installed, each with its licence", () => {
  const installed = Object.keys(read("package.json").dependencies ?? {}).sort();
  const found = installed.map((name) => ({
    name,
    licence: read(`node_modules/${name}/package.json`).license,
  }));
  expect(LICENCES).toEqual(found);
});
