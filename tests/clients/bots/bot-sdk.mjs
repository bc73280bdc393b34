// A bot on matrix-bot-sdk, the library under many Node bridges, as an application service: its users are made when they are
// asked for, and it answers in a public and in a private room.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
const server = await Homeserver.start({
    name: "bots.example",
    settings: { calls: { livekit: { mode: "off" } }, application_services: { files: [file] } },
});

const service = new Appservice({
    bindAddress: "127.0.0.1",
    port,
    homeserverName: "bots.example",
    homeserverUrl: server.baseUrl,
    registration,
    storage: new MemoryStorageProvider(),
});
service.on("query.user", (userId, make) => make({ display_name: `Ghost of ${userId}` }));
service.on("room.invite", async (roomId, event) => {
    await service.getIntentForUserId(event.state_key).joinRoom(roomId);
});
service.on("room.message", async (roomId, event) => {
    if (event.sender.startsWith("@anna:")) {
        const ghost = service.getIntentForUserId("@_echo_ghost:bots.example");
        await ghost.sendText(roomId, `echo: ${event.content.body}`);
    }
});

try {
    await service.begin();
    const anna = await server.register("anna");
    const client = (method, path, body) => server.call(method, `/_matrix/client/v3/${path}`, { account: anna, body });
    for (const preset of ["public_chat", "private_chat"]) {
        const { room_id } = await client("POST", "createRoom", { preset, invite: ["@_echo_ghost:bots.example"] });
        const room = `rooms/${encodeURIComponent(room_id)}`;
        await until("the ghost joins", () => client("GET", `${room}/joined_members`), (members) => "@_echo_ghost:bots.example" in members.joined);
        await client("PUT", `${room}/send/m.room.message/${preset}`, { msgtype: "m.text", body: preset });
        await until("the ghost answers", () => client("GET", `${room}/messages?dir=b&limit=5`), ({ chunk }) =>
            chunk.some((event) => event.sender.startsWith("@_echo_ghost:") && event.content.body === `echo: ${preset}`));
    }
    const profile = await client("GET", `profile/${encodeURIComponent("@_echo_ghost:bots.example")}`);
    assert.equal(profile.displayname, "Ghost of @_echo_ghost:bots.example");
    console.log("a matrix-bot-sdk bot answers in public and private rooms, as users that it makes when asked");
} finally {
    service.stop();
    await server.stop();
}
process.exit(0);
