// The real server on free ports with temporary data, and what operators and people ask of it without a browser.

import { createHmac, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDatabase } from "./database.mjs";
import { endAtExit, endProcessWith, freePort, processWith, run, temporaryFolder } from "./processes.mjs";
import { toml } from "./toml.mjs";

const SHARED_SECRET = "the tests' own secret";

export class Homeserver {
    /**
     * Starts a server of this name, on a database of this kind, with an SFU of its own; `settings` are those that are not
     * usual in tests.
     */
    static async start({ name = "calls.example", database, settings = {}, listeners = [] } = {}) {
        const binary = process.env.ECHORIFT_BIN;
        if (!binary) throw new Error("ECHORIFT_BIN is to name the server's binary: cargo build --workspace");
        const server = new Homeserver(binary, temporaryFolder("echorift-calls"), name, await freePort());
        server.database = await createDatabase(server.folder, database);
        await writeFile(server.configuration, toml(await server.settings(settings, listeners)));
        await server.restart();
        return server;
    }

    constructor(binary, folder, name, port) {
        Object.assign(this, { binary, folder, name, baseUrl: `http://127.0.0.1:${port}`, port });
        this.configuration = join(folder, "echorift.toml");
        this.sfuKey = `calls-${randomBytes(4).toString("hex")}`;
        endAtExit(this.sfuKey);
    }

    async settings(own, listeners) {
        const usual = {
            calls: {
                livekit: {
                    mode: "managed",
                    binary: process.env.ECHORIFT_TEST_LIVEKIT ?? "livekit-server",
                    port: await freePort(),
                    rtc_tcp_port: await freePort(),
                    rtc_udp_ports: "0",
                    api_key: this.sfuKey,
                    api_secret: randomBytes(32).toString("hex"),
                },
                ...own.calls,
            },
            server: { name: this.name, public_base_url: this.baseUrl, data_dir: this.folder, ...own.server },
            database: { url: this.database.url },
            registration: { shared_secret: SHARED_SECRET, ...own.registration },
            passwords: { hash_memory_kib: 64, hash_iterations: 1 },
            rate_limits: { enabled: false },
        };
        const listener = [
            { address: `127.0.0.1:${this.port}`, serves: ["client", "federation", "media", "web", "admin", "health"] },
            ...listeners,
        ];
        return { ...own, ...usual, listener };
    }

    /** Starts it on the data that is there. */
    async restart() {
        this.process = run(this.binary, ["serve", "--config", this.configuration]);
        await this.process.line("answers on http://");
    }

    /** Ends it at once, as a power cut would. */
    kill() {
        return this.process.end("SIGKILL");
    }

    /** Ends it in order, and an SFU that outlived it. */
    async stop() {
        await this.process.end("SIGTERM");
        endProcessWith(this.sfuKey);
        await this.database.drop();
    }

    /** The process of its SFU, known by the key in its environment; `undefined` while there is none. */
    sfu() {
        return processWith(this.sfuKey);
    }

    /** Makes an account, an administrator's if asked; the answer is what its client logs in with. */
    async register(username, { admin = false } = {}) {
        const path = "/_synapse/admin/v1/register";
        const { nonce } = await this.call("GET", path);
        const password = randomBytes(16).toString("hex");
        const mac = createHmac("sha1", SHARED_SECRET).update([nonce, username, password, admin ? "admin" : "notadmin"].join("\0"));
        const body = { nonce, username, password, admin, mac: mac.digest("hex") };
        const answer = await this.call("POST", path, { body });
        return {
            baseUrl: this.baseUrl,
            username,
            password,
            userId: answer.user_id,
            deviceId: answer.device_id,
            accessToken: answer.access_token,
        };
    }

    /** A request to the server; fails unless it is answered with success. */
    async call(method, path, { account, body } = {}) {
        const response = await fetch(this.baseUrl + path, {
            method,
            headers: {
                "content-type": "application/json",
                ...(account ? { authorization: `Bearer ${account.accessToken}` } : {}),
            },
            ...(body ? { body: JSON.stringify(body) } : {}),
        });
        const answer = await response.json();
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
        return answer;
    }

    /** The content of a state event, or `undefined`. */
    async state(account, roomId, type, stateKey = "") {
        const path = ["rooms", roomId, "state", type, stateKey].map(encodeURIComponent).join("/");
        return this.call("GET", `/_matrix/client/v3/${path}`, { account }).catch(() => undefined);
    }
}
