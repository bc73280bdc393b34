// Two regions in one call: two federating servers with an SFU each, each person publishing at home.

import assert from "node:assert/strict";
import { Authority } from "../lib/authority.mjs";
import { otherDatabase } from "../lib/database.mjs";
import { allAreMembers, allHearAndSee, mediaStops } from "./lib/media.mjs";
import { freePort } from "../lib/processes.mjs";
import { Stage, stageOf, story } from "./lib/stage.mjs";

const NAMES = ["north.example", "south.example"];

class TwoRegions extends Stage {
    async start() {
        const authority = await Authority.found();
        const ports = [await freePort(), await freePort()];
        const hosts = Object.fromEntries(NAMES.map((name, i) => [name, `127.0.0.1:${ports[i]}`]));
        for (const [i, name] of NAMES.entries()) {
            const { certificate, key } = await authority.certify(name);
            const settings = {
                federation: { hosts },
                outbound: { extra_ca_files: [authority.file], denied_ip_ranges: [] },
                calls: { publish: "local" },
            };
            const listener = {
                address: `127.0.0.1:${ports[i]}`,
                serves: ["federation", "media"],
                tls: true,
                tls_certificate: certificate,
                tls_private_key: key,
            };
            // Where it can be, each stands on another kind of database.
            const database = i === 0 ? undefined : otherDatabase();
            await this.add({ name, database, settings, listeners: [listener] });
        }
    }
}

const stage = stageOf(new TwoRegions());

for (const dialect of ["compatibility", "matrix_2_0", "homeserver"]) {
    story(stage, `people of two regions hear and see each other (${dialect})`, async () => {
        const [north, south] = stage.homeservers;
        const [nora, sam] = [await stage.person("nora", { at: north }), await stage.person("sam", { at: south })];
        const room = await nora.createRoom([sam]);
        await Promise.all([nora.join(room, { dialect }), sam.join(room, { dialect })]);
        await allAreMembers([nora, sam]);
        await allHearAndSee([nora, sam]);

        for (const [person, home] of [[nora, north], [sam, south]]) {
            const { sfus } = await person.report();
            const table = sfus.map(({ url, maySpeak }) => [url.startsWith(home.baseUrl), maySpeak]).sort();
            assert.deepEqual(table, [[false, false], [true, true]], "one publishes at home, and only there");
        }

        // What the north knows first, its own SFU acts on.
        await sam.ask("watch", nora.userId);
        await nora.call("POST", `rooms/${encodeURIComponent(room)}/kick`, { user_id: sam.userId });
        const kickedAt = Date.now();
        const stillMs = await mediaStops(sam, kickedAt);
        assert.ok(stillMs < 2_000, `media came for ${stillMs} ms`);
    });
}
