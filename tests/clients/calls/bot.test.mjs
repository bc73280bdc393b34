// A bot in Python, which knows LiveKit and of Matrix only how to ask for a token.

import assert from "node:assert/strict";
import { startBot } from "./lib/bot.mjs";
import { of } from "./lib/media.mjs";
import { stageOf, story } from "./lib/stage.mjs";
import { until } from "../lib/until.mjs";

const stage = stageOf();
const TONE_HERTZ = 660;
/** Half a semitone. */
const TOLERANCE_HERTZ = 20;

story(stage, "a bot hears a person and is heard, and shown once it is a member", async () => {
    const alice = await stage.person("alice");
    const account = await stage.homeserver.register("bot");
    const { userId, deviceId } = account;
    const room = await alice.createRoom([]);
    await alice.call("POST", `rooms/${encodeURIComponent(room)}/invite`, { user_id: userId });
    const call = (method, path, body) => stage.homeserver.call(method, `/_matrix/client/${path}`, { account, body });
    await call("POST", `v3/join/${encodeURIComponent(room)}`, {});
    await alice.join(room);

    const { rtc_transports: transports } = await call("GET", "unstable/org.matrix.msc4143/rtc/transports");
    const [{ livekit_service_url: serviceUrl }] = transports;
    const bot = await startBot({ account, roomId: room, serviceUrl, hertz: TONE_HERTZ });
    try {
        const { heard } = await bot.heard;
        const { members } = await alice.report();
        assert.equal(heard, members[0].identity);

        const isTheTone = (hertz) => Math.abs(hertz - TONE_HERTZ) < TOLERANCE_HERTZ;
        await until("the tone is heard", () => alice.ask("pitch", bot.identity), isTheTone);
        const tone = (await alice.report()).received.find(({ identity }) => identity === bot.identity);
        assert.equal(tone.userId, undefined, "a bot without a membership is nobody in the call");

        const stateKey = encodeURIComponent(`_${userId}_${deviceId}_m.call`);
        await call("PUT", `v3/rooms/${encodeURIComponent(room)}/state/org.matrix.msc3401.call.member/${stateKey}`, {
            application: "m.call",
            call_id: "",
            scope: "m.room",
            device_id: deviceId,
            membershipID: `${userId}:${deviceId}`,
            expires: 3_600_000,
            focus_active: { type: "livekit", focus_selection: "multi_sfu" },
            foci_preferred: [{ type: "livekit", livekit_service_url: serviceUrl, livekit_alias: room }],
        });
        const isShown = (report) => of(report, { userId }, "microphone")?.identity === bot.identity;
        await until("the bot is a member", () => alice.report(), isShown);
    } finally {
        await bot.leave();
    }
    await until("the bot is gone", () => alice.report(), ({ received }) => received.length === 0);
});
