// The web site that the pages come from: the harness, bundled, and Element Call as it is published.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const MODULES = here("node_modules");
const ELEMENT_CALL = "/element-call/";
/** What the bundles fetch beside themselves. */
const FILES = {
    "/livekit-e2ee-worker.mjs": "livekit-client/dist/livekit-client.e2ee.worker.mjs",
    "/pkg/matrix_sdk_crypto_wasm_bg.wasm": "@matrix-org/matrix-sdk-crypto-wasm/pkg/matrix_sdk_crypto_wasm_bg.wasm",
};
const TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
};

/**
 * Serves the pages on localhost, which browsers hold for secure. `origin` is where; `close()` ends it;
 * `elementCallMode` is the dialect that Element Call is configured to speak.
 */
export async function startSite() {
    const bundles = await bundle(["page", "element-call"]);
    const server = createServer(async (request, response) => {
        const { pathname } = new URL(request.url, "http://localhost");
        try {
            const body = await find(bundles, pathname, site.elementCallMode);
            response.setHeader("content-type", TYPES[extname(pathname)] ?? "text/html");
            response.end(body);
        } catch (error) {
            response.statusCode = error.code === "ENOENT" ? 404 : 500;
            response.end();
        }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const site = {
        origin: `http://localhost:${server.address().port}`,
        elementCallMode: "compatibility",
        close() {
            server.close();
            server.closeAllConnections();
        },
    };
    return site;
}

async function find(bundles, pathname, elementCallMode) {
    if (bundles.has(pathname)) return bundles.get(pathname);
    if (pathname in FILES) return readFile(join(MODULES, FILES[pathname]));
    if (pathname === `${ELEMENT_CALL}config.json`) return JSON.stringify({ matrix_rtc_mode: elementCallMode });
    if (pathname.startsWith(ELEMENT_CALL)) {
        const path = normalize(pathname.slice(ELEMENT_CALL.length)) || "index.html";
        return readFile(join(MODULES, "@element-hq/element-call-embedded/dist", path));
    }
    const name = pathname.slice(1);
    if (bundles.has(`/${name}.js`)) return page(name);
    throw Object.assign(new Error(pathname), { code: "ENOENT" });
}

const page = (name) =>
    `<!doctype html><meta charset="utf-8"><title>${name}</title><script type="module" src="/${name}.js"></script>`;

/** Compiles the pages; by the path under which they are served. */
async function bundle(names) {
    const { outputFiles } = await build({
        entryPoints: names.map((name) => here(`harness/${name}.ts`)),
        outdir: "/",
        bundle: true,
        format: "esm",
        target: "es2023",
        sourcemap: "inline",
        define: { global: "globalThis" },
        write: false,
        logLevel: "error",
    });
    return new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]));
}
