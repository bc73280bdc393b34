import { expect, test } from "vitest";
import * as deFirst from "./de/first";
import * as deInside from "./de/inside";
import * as enFirst from "./en/first";
import * as enInside from "./en/inside";
import index from "./index?raw";

type Texts = { [key: string]: string | Texts };

const files = import.meta.glob<Texts>("./{en,de}/*.json", { import: "default", eager: true });

/** `a.b` for each text; plural forms count as one, for languages have different ones. */
function keysOf(texts: Texts, path = ""): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string"
      ? [`${path}${key.replace(/_(zero|one|two|few|many|other)$/, "")}`]
      : keysOf(value, `${path}${key}.`),
  );
}

const namespaces = Object.keys(files)
  .filter((name) => name.startsWith("./en/"))
  .map((name) => name.slice("./en/".length));

test.each(namespaces)("%s says the same in every language", (namespace) => {
  const keys = (language: string) => [...new Set(keysOf(files[`./${language}/${namespace}`] ?? {}))].sort();
  expect(keys("de")).toEqual(keys("en"));
});

const pages = /\{en,de\}\/\{([^}]+)\}/.exec(index)?.[1]?.split(",") ?? [];

test.each([
  ["en", { ...enFirst, ...enInside }],
  ["de", { ...deFirst, ...deInside }],
])("each namespace of %s is fetched with others or by its page", (_, together) => {
  const fetched = [...Object.keys(together), ...pages].map((name) => `${name}.json`);
  expect(fetched.sort()).toEqual([...namespaces].sort());
});

test("no language has texts that English lacks", () => {
  const german = Object.keys(files).filter((name) => name.startsWith("./de/"));
  expect(german.map((name) => name.slice("./de/".length)).sort()).toEqual([...namespaces].sort());
});
