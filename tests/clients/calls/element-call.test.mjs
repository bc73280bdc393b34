// Element Call, as it is published for clients to embed, in one call with a page of ours.

import assert from "node:assert/strict";
import { allAreMembers, hearsAndSees } from "./lib/media.mjs";
import { stageOf, story } from "./lib/stage.mjs";
import { until } from "../lib/until.mjs";

const stage = stageOf();

for (const mode of ["compatibility", "matrix_2_0"]) {
    for (const isEncrypted of [false, true]) {
        const where = isEncrypted ? "an encrypted" : "a plain";
        story(stage, `Element Call in the mode ${mode} meets our page in ${where} room`, async () => {
            const [alice, erin] = [await stage.person("alice"), await stage.elementCallUser("erin")];
            const room = await alice.createRoom([erin], { isEncrypted });
            stage.site.elementCallMode = mode;
            await alice.join(room, { isEncrypted, dialect: mode });
            await erin.open(room);
            await allAreMembers([alice, erin], { seenBy: [alice] });
            await hearsAndSees(alice, erin);
            await erin.hearsAndSees();
            await assertAsked(erin, mode);

            await erin.ask("hangUp");
            await allAreMembers([alice]);
        });
    }
}

/** The requests that the server was made for, each answered with success. */
async function assertAsked(erin, mode) {
    const tokenPath = mode === "compatibility" ? "/livekit/jwt/sfu/get" : "/livekit/jwt/get_token";
    const isAnswered = ({ status }) => status === 200;
    const asked = (part) => erin.requests.filter(({ pathname }) => pathname.includes(part));
    assert.ok(asked("/rtc/transports").some(isAnswered), "it asked which SFUs there are");
    assert.ok(asked(tokenPath).some(isAnswered), `it got its token of ${tokenPath}`);
    const isDelegation = ({ body }) => body.includes('"delay_id"');
    const isDelegated = () => asked("/livekit/").filter(isDelegation).some(isAnswered);
    await until("it hands its delayed leave over", isDelegated);
}
