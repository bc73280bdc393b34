// What goes wrong in calls: pages die, people are thrown out, servers are killed.

import assert from "node:assert/strict";
import { allAreMembers, allHearAndSee, hearsAndSees, mediaStops } from "./lib/media.mjs";
import { stageOf, story } from "./lib/stage.mjs";
import { until } from "../lib/until.mjs";

const stage = stageOf();

/** Some people in a plain room's call, who hear and see each other. */
async function inCall(names, options = {}) {
    const people = await Promise.all(names.map((name) => stage.person(name)));
    const room = await people[0].createRoom(people.slice(1));
    await Promise.all(people.map((person) => person.join(room, options)));
    await allAreMembers(people);
    await allHearAndSee(people);
    return { room, people };
}

/** Lets the other go by `leave`, and waits until this person sees them neither among the members nor in the SFU. */
async function misses(person, other, leave, { membershipMs, mediaMs }) {
    const { members } = await person.report();
    const { identity } = members.find(({ userId }) => userId === other.userId);
    const mediaDeadline = Date.now() + mediaMs;
    const hasLeft = leave();
    const isNoMember = ({ members }) => members.every((member) => member.identity !== identity);
    await until(`${other.name} is no member`, () => person.report(), isNoMember, membershipMs);
    const isSilent = ({ received }) => received.every((media) => media.identity !== identity);
    await until(`${other.name} is out of the SFU`, () => person.report(), isSilent, mediaDeadline - Date.now());
    await hasLeft;
}

/** The events that say that these people are in the call: the same ones as long as nobody was taken for gone. */
async function membershipEvents(room, people) {
    const state = await people[0].call("GET", `rooms/${encodeURIComponent(room)}/state`);
    const isTheirs = ({ type, sender }) => {
        return type === "org.matrix.msc3401.call.member" && people.some(({ userId }) => userId === sender);
    };
    return state.filter(isTheirs).map(({ event_id: eventId }) => eventId).sort();
}

story(stage, "who hangs up is gone within two seconds", async () => {
    const { people: [alice, bob] } = await inCall(["alice", "bob"]);
    await misses(alice, bob, () => bob.hangUp(), { membershipMs: 2_000, mediaMs: 2_000 });
});

story(stage, "a page that crashes is gone when its delayed leave is due", async () => {
    const { people: [alice, bob] } = await inCall(["alice", "bob"], { leaveDelayMs: 8_000 });
    await misses(alice, bob, () => bob.crash(), { membershipMs: 10_000, mediaMs: 25_000 });
});

story(stage, "a page that crashes is gone by the SFU's word, long before its delegated leave is due", async () => {
    const { people: [alice, bob] } = await inCall(["alice", "bob"], { delegatesLeave: true });
    await misses(alice, bob, () => bob.crash(), { membershipMs: 25_000, mediaMs: 25_000 });
});

story(stage, "a call outlives the homeserver's death, and who dies meanwhile is missed", async () => {
    const { homeserver } = stage;
    const { room, people: [alice, bob, carol] } = await inCall(["alice", "bob", "carol"], { delegatesLeave: true });
    const sfu = homeserver.sfu();
    const before = await membershipEvents(room, [alice, bob]);
    await alice.ask("watch", bob.userId);
    await homeserver.kill();
    await carol.crash();
    await hearsAndSees(alice, bob);
    await homeserver.restart();

    await allAreMembers([alice, bob], { patienceMs: 40_000 });
    assert.equal(homeserver.sfu(), sfu, "the SFU is the one that was");
    assert.deepEqual(await membershipEvents(room, [alice, bob]), before, "who stayed was not taken for gone");
    await hearsAndSees(alice, bob);
    const { longestGapMs } = await alice.ask("arrivals");
    assert.ok(longestGapMs < 3_000, `media was missing for ${longestGapMs} ms`);
});

story(stage, "an SFU that is killed comes back, and the call with it", async () => {
    const { homeserver } = stage;
    const { room, people } = await inCall(["alice", "bob"], { delegatesLeave: true });
    const before = await membershipEvents(room, people);
    const killed = homeserver.sfu();
    process.kill(killed, "SIGKILL");
    await until("there is another SFU", () => homeserver.sfu(), (now) => now !== undefined && now !== killed);
    await allHearAndSee(people, 90_000);
    await allAreMembers(people);
    assert.deepEqual(await membershipEvents(room, people), before, "nobody was taken for gone");
});

story(stage, "who is kicked is heard for no more than two seconds", async () => {
    const { room, people: [alice, bob] } = await inCall(["alice", "bob"]);
    await alice.ask("watch", bob.userId);
    await bob.ask("watch", alice.userId);
    await alice.call("POST", `rooms/${encodeURIComponent(room)}/kick`, { user_id: bob.userId });
    const kickedAt = Date.now();
    for (const person of [alice, bob]) {
        const stillMs = await mediaStops(person, kickedAt);
        assert.ok(stillMs < 2_000, `${person.name} received media for ${stillMs} ms`);
    }
    await allAreMembers([alice]);
});

story(stage, "who may no longer speak is heard for no more than two seconds, and still hears", async () => {
    const { room, people: [alice, bob] } = await inCall(["alice", "bob"]);
    const path = `rooms/${encodeURIComponent(room)}/state/m.room.power_levels/`;
    const levels = await alice.call("GET", path);
    await alice.ask("watch", bob.userId);
    // Calls go by the same levels as messages.
    await alice.call("PUT", path, { ...levels, events_default: 50 });
    const demotedAt = Date.now();
    const stillMs = await mediaStops(alice, demotedAt);
    assert.ok(stillMs < 2_000, `media came for ${stillMs} ms`);
    await allAreMembers([alice, bob]);
    await hearsAndSees(bob, alice);

    await alice.call("PUT", path, levels);
    await until("bob may speak again", () => bob.report(), ({ sfus: [{ maySpeak }] }) => maySpeak);
    await bob.ask("publish");
    await hearsAndSees(alice, bob);
});
