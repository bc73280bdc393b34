// Gives the service worker the name of the build it belongs to. Its own code seldom changes, and browsers take only a worker
// whose bytes differ as news of a new version.

import { createHash } from "node:crypto";

export const PLACEHOLDER = "__CLIENT_BUILD__";

/** A plugin of the build: all other files' names hold hashes of their content, so the names together are the build's. */
export function stampWorker() {
  return {
    name: "stamp-worker",
    generateBundle(_options, bundle) {
      const names = Object.keys(bundle).sort().join("\n");
      const build = createHash("sha256").update(names).digest("hex").slice(0, 12);
      const worker = bundle["sw.js"];
      if (worker?.type === "chunk") worker.code = worker.code.replaceAll(PLACEHOLDER, build);
    },
  };
}
