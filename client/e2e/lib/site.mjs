// The built client at an address of its own, with everything else passed on to the homeserver.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize } from "node:path";

const DIST = new URL("../../dist/", import.meta.url).pathname;
const PASSED_ON = /^\/(_matrix|_echorift|_synapse|\.well-known|oauth2|account|livekit|health)(\/|$)/;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

export class Site {
  static async open() {
    if (!existsSync(join(DIST, "index.html"))) throw new Error("build the client first: npm run build");
    const site = new Site();
    site.server = createServer((asked, answer) => site.answer(asked, answer));
    site.server.on("upgrade", (asked, socket) => site.tunnel(asked, socket));
    await new Promise((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    site.origin = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  /** Settings that `config.json` tells beside the usual ones. */
  config = {};

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  answer(asked, answer) {
    const path = new URL(asked.url, this.origin).pathname;
    if (PASSED_ON.test(path)) return this.pass(asked, answer);
    if (path === "/config.json") {
      answer.setHeader("content-type", "application/json");
      return answer.end(JSON.stringify({ server_name: this.homeserver.name, ...this.config }));
    }
    const file = join(DIST, normalize(path));
    const found = existsSync(file) && statSync(file).isFile() ? file : join(DIST, "index.html");
    answer.setHeader("content-type", TYPES[extname(found)] ?? "application/octet-stream");
    createReadStream(found).pipe(answer);
  }

  pass(asked, answer) {
    const { port } = this.homeserver;
    const { method, url, headers } = asked;
    const passed = request({ host: "127.0.0.1", port, method, path: url, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  }

  tunnel(asked, socket) {
    const upstream = connect(this.homeserver.port, "127.0.0.1", () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      upstream.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      socket.pipe(upstream).pipe(socket);
    });
    for (const end of [socket, upstream]) end.on("error", () => socket.destroy());
  }
}
