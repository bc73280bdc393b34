// Lays a brotli and a gzip copy beside every file of dist/ that shrinks, so that the server never compresses.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const SHRINKS = new Set([".html", ".js", ".css", ".json", ".svg", ".wasm", ".webmanifest"]);
const dist = new URL("../dist/", import.meta.url).pathname;

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !SHRINKS.has(extname(path))) continue;
  const bytes = readFileSync(path);
  // The highest quality takes wasm half a minute for two per cent.
  const quality = extname(path) === ".wasm" ? 9 : constants.BROTLI_MAX_QUALITY;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  for (const [suffix, packed] of [
    [".br", brotliCompressSync(bytes, { params })],
    [".gz", gzipSync(bytes, { level: 9 })],
  ]) {
    if (packed.length < bytes.length) writeFileSync(path + suffix, packed);
  }
}
