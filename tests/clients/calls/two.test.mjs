// Two people in one call: they hear and see each other, in plain rooms and in encrypted ones, and only as much as they
// need of each other.

import assert from "node:assert/strict";
import { allAreMembers, allHearAndSee, hearsAndSees, of } from "./lib/media.mjs";
import { NarrowPath } from "./lib/narrow-path.mjs";
import { stageOf, story } from "./lib/stage.mjs";
import { until } from "../lib/until.mjs";

const HD = { width: 1_280, height: 720, frameRate: 24 };
const MISSING_KEY = "MissingKey";
const stage = stageOf();

/** Waits until nothing more arrives of what the other publishes there. */
async function nothingArrives(person, other, source) {
    let before = -1;
    await until(`${person.name} receives no more of ${other.name}'s ${source}`, () => person.report(), (report) => {
        const { isMuted, bytes } = of(report, other, source);
        const isQuiet = isMuted && bytes === before;
        before = bytes;
        return isQuiet;
    });
}

story(stage, "two people in a plain room hear and see each other, mute and share a screen", async () => {
    const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
    const room = await alice.createRoom([bob]);
    await Promise.all([alice.join(room), bob.join(room)]);
    await allAreMembers([alice, bob]);
    await allHearAndSee([alice, bob]);
    for (const person of [alice, bob]) {
        const { received } = await person.report();
        assert.deepEqual(received.map(({ protocol }) => protocol), ["udp", "udp"]);
    }

    for (const source of ["microphone", "camera"]) {
        await bob.ask("mute", source, true);
        await nothingArrives(alice, bob, source);
    }
    for (const source of ["microphone", "camera"]) await bob.ask("mute", source, false);
    await hearsAndSees(alice, bob);

    await bob.ask("shareScreen", true);
    const { codec } = await until("the screen arrives", async () => of(await alice.report(), bob, "screen_share"), (screen) => {
        return screen?.frames > 10;
    });
    assert.equal(codec, "video/VP9");
    await bob.ask("shareScreen", false);
    await until("the screen goes", async () => of(await alice.report(), bob, "screen_share") === undefined);
    const { problems, received } = await alice.report();
    assert.deepEqual(problems, []);
    assert.ok(received.every(({ isEncrypted }) => !isEncrypted), "nothing is encrypted where nobody asked for it");
});

story(stage, "in an encrypted room media is read by members alone", async () => {
    const [alice, bob, carol] = [await stage.person("alice"), await stage.person("bob"), await stage.person("carol")];
    const room = await alice.createRoom([bob, carol], { isEncrypted: true });
    await Promise.all([alice, bob].map((person) => person.join(room, { isEncrypted: true })));
    await allAreMembers([alice, bob]);
    await allHearAndSee([alice, bob]);
    for (const [person, other] of [[alice, bob], [bob, alice]]) {
        const report = await person.report();
        assert.equal(of(report, other, "camera").isEncrypted, true);
        assert.equal(of(report, other, "microphone").isEncrypted, true);
    }

    // She has the room's token for the SFU, and is no member of the call: nobody sends her a key.
    await carol.join(room, { isEncrypted: true, isGhost: true });
    const camera = async () => of(await carol.report(), alice, "camera");
    const { frames } = await until("the ghost is sent frames", camera, (camera) => camera?.bytes > 20_000);
    assert.equal(frames, 0, "a ghost decodes nothing");
    await carol.hangUp();
    await carol.join(room, { isEncrypted: true });
    await allAreMembers([alice, bob, carol]);
    await allHearAndSee([alice, bob, carol]);

    // A frame may come before its key, but none that is there fails.
    for (const person of [alice, bob, carol]) {
        const { problems } = await person.report();
        assert.deepEqual(problems.filter((problem) => !problem.includes(MISSING_KEY)), []);
    }
});

/** What of the other's camera arrives there, and at what height. */
const heightOf = (person, other) => async () => of(await person.report(), other, "camera")?.height;

story(stage, "a camera is sent in three layers, and each tile gets the one that fits it", async () => {
    const [alice, bob] = [await stage.person("alice"), await stage.person("bob")];
    const room = await alice.createRoom([bob]);
    // The browser has one camera: it takes the size of who opens it first.
    await bob.join(room, { capture: HD });
    await alice.join(room, { tileWidth: 1_280 });
    await hearsAndSees(alice, bob);
    await until("a big tile gets the top layer", heightOf(alice, bob), (height) => height === 720);
    const layers = async () => (await bob.report()).sent.filter(({ source }) => source === "camera");
    const sent = await until("all layers are sent", layers, (sent) => sent.every(({ isActive, height }) => isActive && height));
    const table = sent.map(({ rid, height, bitrateMax }) => [rid, height, bitrateMax]).sort((a, b) => a[1] - b[1]);
    assert.deepEqual(table, [["q", 180, 150_000], ["h", 360, 500_000], ["f", 720, 1_500_000]]);
    for (const { rid, bitrate, bitrateMax } of sent) assert.ok(bitrate <= bitrateMax, `${rid}: ${bitrate}`);

    await alice.ask("resizeTiles", bob.userId, 160);
    await until("a small tile gets the bottom layer", heightOf(alice, bob), (height) => height === 180);
    await until("what nobody looks at is not sent", layers, (sent) => {
        return sent.every(({ rid, isActive }) => isActive === (rid === "q"));
    });
    await alice.ask("resizeTiles", bob.userId, 1_280);
    await until("a tile that grows gets the top layer again", heightOf(alice, bob), (height) => height === 720);
});

story(stage, "a network that becomes slow gets a smaller layer, audio goes on, and a fast one gets more again", async () => {
    const path = new NarrowPath();
    try {
        const [alice, bob] = [await stage.person("alice", { path }), await stage.person("bob")];
        const room = await alice.createRoom([bob]);
        await bob.join(room, { capture: HD });
        await alice.join(room, { tileWidth: 1_280 });
        await hearsAndSees(alice, bob);
        await until("a fast network gets the top layer", heightOf(alice, bob), (height) => height === 720);

        path.bitsPerSecond = 500_000;
        const isSmaller = (height) => height > 0 && height < 720;
        await until("a slow network gets less", heightOf(alice, bob), isSmaller, 60_000);
        await hearsAndSees(alice, bob);
        // The SFU probes whether there is more, with growing pauses.
        path.bitsPerSecond = Infinity;
        await until("a fast network gets the top layer again", heightOf(alice, bob), (height) => height === 720, 90_000);
    } finally {
        path.close();
    }
});
