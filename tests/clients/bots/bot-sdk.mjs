// A bot on matrix-bot-sdk, the library under many Node bridges, as an application service: its users are made when they are
// asked for, and it answers in a public and in a private room, of its own server and of another one.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../lib/authority.mjs";
import { freePort } from "../lib/processes.mjs";
import { Homeserver } from "../lib/homeserver.mjs";
import { until } from "../lib/until.mjs";

// The package's crypto is a binary that it fetches when it is installed; nothing here is encrypted.
const load = Module._load;
const absent = new Proxy({}, { get: () => class {} });
Module._load = (name, ...rest) => (name === "@matrix-org/matrix-sdk-crypto-nodejs" ? absent : load(name, ...rest));
const { Appservice, LogLevel, LogService, MemoryStorageProvider } = createRequire(import.meta.url)("matrix-bot-sdk");
LogService.setLevel(LogLevel.WARN);

const port = await freePort();
const registration = {
    id: "bot-sdk",
    url: `http://127.0.0.1:${port}`,
    as_token: "token of the service",
    hs_token: "token of the server",
    sender_localpart: "echobot",
    namespaces: { users: [{ exclusive: true, regex: "@_echo_.*:bots\\.example" }], aliases: [], rooms: [] },
    rate_limited: false,
};
const file = join(tmpdir(), `echorift-bot-sdk-${process.pid}.yaml`);
await writeFile(file, JSON.stringify(registration));
const NAMES = ["bots.example", "far.example"];
const authority = await Authority.found();
const ports = await Promise.all(NAMES.map(() => freePort()));
const hosts = Object.fromEntries(NAMES.map((name, i) => [name, `127.0.0.1:${ports[i]}`]));
const servers = [];
for (const [i, name] of NAMES.entries()) {
    const { certificate, key } = await authority.certify(name);
    servers.push(
        await Homeserver.start({
            name,
            settings: {
                calls: { livekit: { mode: "off" } },
                application_services: { files: i === 0 ? [file] : [] },
                federation: { hosts },
                outbound: { extra_ca_files: [authority.file], denied_ip_ranges: [] },
            },
            listeners: [
                {
                    address: `127.0.0.1:${ports[i]}`,
                    serves: ["federation", "media"],
                    tls: true,
                    tls_certificate: certificate,
                    tls_private_key: key,
                },
            ],
        }),
    );
}
const [home] = servers;

const service = new Appservice({
    bindAddress: "127.0.0.1",
    port,
    homeserverName: "bots.example",
    homeserverUrl: home.baseUrl,
    registration,
    storage: new MemoryStorageProvider(),
});
service.on("query.user", (userId, make) => make({ display_name: `Ghost of ${userId}` }));
service.on("room.invite", async (roomId, event) => {
    await service.getIntentForUserId(event.state_key).joinRoom(roomId);
});
service.on("room.message", async (roomId, event) => {
    if (event.sender.startsWith("@anna:")) {
        const ghost = service.getIntentForUserId(GHOST);
        await ghost.sendText(roomId, `echo: ${event.content.body}`);
    }
});

const GHOST = "@_echo_ghost:bots.example";

/** Somebody of a server calls the ghost into rooms there, and is answered. */
async function talk(server) {
    const anna = await server.register("anna");
    const client = (method, path, body) => server.call(method, `/_matrix/client/v3/${path}`, { account: anna, body });
    for (const preset of ["public_chat", "private_chat"]) {
        const { room_id } = await client("POST", "createRoom", { preset, invite: [GHOST] });
        const room = `rooms/${encodeURIComponent(room_id)}`;
        await until("the ghost joins", () => client("GET", `${room}/joined_members`), (members) => GHOST in members.joined);
        await client("PUT", `${room}/send/m.room.message/${preset}`, { msgtype: "m.text", body: preset });
        await until("the ghost answers", () => client("GET", `${room}/messages?dir=b&limit=5`), ({ chunk }) =>
            chunk.some((event) => event.sender === GHOST && event.content.body === `echo: ${preset}`));
    }
    const profile = await client("GET", `profile/${encodeURIComponent(GHOST)}`);
    assert.equal(profile.displayname, `Ghost of ${GHOST}`);
}

try {
    await service.begin();
    for (const server of servers) await talk(server);
    console.log("a matrix-bot-sdk bot answers in rooms of its server and of another, as users that it makes when asked");
} finally {
    service.stop();
    for (const server of servers) await server.stop();
}
process.exit(0);
