import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { layEmoji } from "./scripts/emoji.mjs";
import { stampWorker } from "./scripts/stamp.mjs";

// Where `npm run dev` finds a server; the built client always talks to the origin it came from.
const server = process.env.ECHORIFT_URL ?? "http://127.0.0.1:8008";
const served = ["/_matrix", "/_echorift", "/.well-known", "/oauth2", "/account", "/livekit", "/config.json"];

export default defineConfig({
  plugins: [react(), { name: "emoji", buildStart: layEmoji }, stampWorker()],
  resolve: { alias: { "~": fileURLToPath(new URL("src", import.meta.url)) } },
  server: {
    proxy: Object.fromEntries(served.map((path) => [path, { target: server, ws: true }])),
  },
  build: {
    target: "es2022",
    // Workers and wasm stay files, so that the content security policy needs no `data:`.
    assetsInlineLimit: 0,
    manifest: true,
    rollupOptions: {
      input: {
        index: fileURLToPath(new URL("index.html", import.meta.url)),
        sw: fileURLToPath(new URL("src/worker/sw.ts", import.meta.url)),
      },
      output: {
        // The service worker's address must not change with its content.
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  worker: { format: "es" },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
} as Parameters<typeof defineConfig>[0]);
