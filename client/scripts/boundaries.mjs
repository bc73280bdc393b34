// Who may import whom (docs: ARCHITECTURE.md § The client). Fails with a line for each import out of place.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const src = new URL("../src/", import.meta.url).pathname;
const faults = [];

for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !/\.tsx?$/.test(path)) continue;
  const file = relative(src, path);
  const text = readFileSync(path, "utf8");
  for (const [, imported] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g))
    judge(file, path, imported);
}

function judge(file, path, imported) {
  const [room] = file.split("/");
  const refuse = (why) => faults.push(`src/${file} imports ${imported}: ${why}`);
  const speaksProtocol = room === "matrix" || room === "calls";
  if (/^matrix-js-sdk|^@matrix-org\//.test(imported) && !speaksProtocol) {
    refuse("only matrix/ and calls/ know the SDK");
  }
  if (/^livekit-client/.test(imported) && room !== "calls") refuse("only calls/ knows LiveKit");
  if (/^react/.test(imported) && speaksProtocol) refuse("matrix/ and calls/ do not know React");
  const target = imported.startsWith("~/")
    ? imported.slice(2)
    : imported.startsWith(".")
      ? relative(src, resolve(dirname(path), imported))
      : undefined;
  if (target === undefined) return;
  if (speaksProtocol && /^(features|ui|hooks|i18n)(\/|$)/.test(target))
    refuse("the protocol does not know views");
  if (room === "ui" && /^(features|matrix|calls)(\/|$)/.test(target)) refuse("ui/ knows no feature");
  const feature = /^features\/([^/]+)/;
  const own = feature.exec(file)?.[1];
  const other = feature.exec(target)?.[1];
  const isEntry = /^features\/[^/]+(\/index)?$/.test(target);
  if (other !== undefined && other !== own && !isEntry) refuse("features meet at index.ts only");
}

for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
