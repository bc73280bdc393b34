import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { chunksOf } from "./scripts/chunks.mjs";
import { ownLanguages, plainNames, withoutUnused } from "./scripts/diet.mjs";
import { layEmoji } from "./scripts/emoji.mjs";
import { stampWorker } from "./scripts/stamp.mjs";

// Where `npm run dev` finds a server; the built client always talks to the origin it came from.
const server = process.env.ECHORIFT_URL ?? "http://127.0.0.1:8008";
const served = ["/_matrix", "/_echorift", "/.well-known", "/oauth2", "/account", "/livekit", "/config.json"];

const source = fileURLToPath(new URL("src", import.meta.url));

export default defineConfig({
  plugins: [
    react(),
    { name: "emoji", buildStart: layEmoji },
    stampWorker(),
    ownLanguages(),
    plainNames(),
    withoutUnused(),
  ],
  resolve: { alias: { "~": source } },
  server: {
    proxy: Object.fromEntries(served.map((path) => [path, { target: server, ws: true }])),
  },
  build: {
    target: "es2022",
    // Workers and wasm stay files, so that the content security policy needs no `data:`.
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: fileURLToPath(new URL("index.html", import.meta.url)),
        sw: fileURLToPath(new URL("src/worker/sw.ts", import.meta.url)),
      },
      treeshake: {
        // They do not say of themselves that a module of theirs which nobody uses need not run.
        moduleSideEffects: [
          { test: /node_modules\/(matrix-js-sdk|matrix-widget-api)\//, sideEffects: false },
        ],
      },
      output: {
        codeSplitting: {
          // The groups are whole as they are.
          includeDependenciesRecursively: false,
          groups: [chunksOf(source, { start: ["main.tsx"], inside: ["inside.ts", "matrix/session.ts"] })],
        },
        // The service worker's address must not change with its content.
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es" },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
} as Parameters<typeof defineConfig>[0]);
