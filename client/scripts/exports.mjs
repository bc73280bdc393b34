// What is exported is for other files. Fails with a line for each export that no other file imports.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const src = new URL("../src/", import.meta.url).pathname;
const EXPORTED =
  /^export (?:declare )?(?:async )?(?:const|let|function\*?|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)/gm;
const LISTED = /^(import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s+"([^"]+)"/gm;
const PASSED_ON = /^export\s+(?:type\s+)?\*\s+from\s+"([^"]+)"/gm;
const WHOLE = /\b(?:import\s*\(\s*|import\s+\*\s+as\s+\w+\s+from\s+)"([^"]+)"/g;

const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));

/** For each file the names that others take from it. */
const taken = new Map(files.map((file) => [file, new Set()]));
for (const [file, text] of texts) {
  for (const [, , names, from] of text.matchAll(LISTED)) {
    for (const name of names.split(","))
      taken.get(target(file, from))?.add(name.replace(/^\s*(type\s+)?/, "").split(/\s/)[0]);
  }
  // Of what is fetched as a whole, whatever word stands there may be meant.
  for (const [, from] of text.matchAll(WHOLE)) {
    for (const word of text.match(/[\w$]+/g) ?? []) taken.get(target(file, from))?.add(word);
  }
}

for (const [file, text] of texts) {
  for (const [, from] of text.matchAll(PASSED_ON))
    for (const name of taken.get(file) ?? []) taken.get(target(file, from))?.add(name);
}

const faults = [];
for (const [file, text] of texts) {
  const names = [...text.matchAll(EXPORTED)].map(([, name]) => name);
  // Texts are asked for by names that are put together.
  for (const [, kind, list, from] of text.matchAll(LISTED))
    if (kind === "export" && !from.endsWith(".json"))
      names.push(...list.split(",").map((name) => name.trim().split(/\s/).at(-1)));
  for (const name of names)
    if (name && !taken.get(file)?.has(name))
      faults.push(`src/${relative(src, file)} exports ${name}: nobody imports it`);
}

function target(file, from) {
  const base = from.startsWith("~/")
    ? join(src, from.slice(2))
    : from.startsWith(".")
      ? resolve(dirname(file), from)
      : undefined;
  return base && [`${base}.ts`, `${base}.tsx`, join(base, "index.ts")].find(existsSync);
}

for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
