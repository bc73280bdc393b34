// One working day with matrix-js-sdk, the library under Element Web: each step stands on those before it.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger.js";
import { startCompany } from "./server.mjs";

const PATIENCE_MS = 30_000;
logger.setLevel("warn", false);

let company;
const clients = [];

/** Logs in as an employee and syncs until the client is ready. */
async function employee(user, password, options = {}) {
    const anyone = sdk.createClient({ baseUrl: company.baseUrl });
    const login = await anyone.loginRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
        initial_device_display_name: "story",
    });
    const client = sdk.createClient({
        baseUrl: company.baseUrl,
        accessToken: login.access_token,
        userId: login.user_id,
        deviceId: login.device_id,
        timelineSupport: true,
    });
    clients.push(client);
    await client.startClient({ initialSyncLimit: 20, lazyLoadMembers: true, threadSupport: true, ...options });
    await until(client, sdk.ClientEvent.Sync, () => client.isInitialSyncComplete());
    return client;
}

/** Waits for a condition, looking again at each event of this kind. */
function until(emitter, event, condition) {
    return new Promise((resolve, reject) => {
        const look = () => {
            const found = condition();
            if (!found) return;
            clearTimeout(deadline);
            emitter.off(event, look);
            resolve(found);
        };
        const deadline = setTimeout(() => {
            emitter.off(event, look);
            reject(new Error(`waited in vain at ${event} for ${condition}`));
        }, PATIENCE_MS);
        emitter.on(event, look);
        look();
    });
}

const bodies = (room) =>
    room.getLiveTimeline().getEvents().filter((event) => event.getType() === "m.room.message")
        .map((event) => event.getContent().body);

await test("an employee's day", { timeout: 240_000 }, async (t) => {
    let anna, jonas, space, channel, first;
    company = await startCompany();
    t.after(async () => {
        for (const client of clients) client.stopClient();
        await company.stop();
    });

    await t.test("a wrong password is refused", async () => {
        const wrong = employee("anna.weber", "wrong");
        await assert.rejects(wrong, (error) => error.errcode === "M_FORBIDDEN" && error.httpStatus === 403);
    });

    await t.test("two log in with their directory accounts", async () => {
        anna = await employee("anna.weber", "nordlicht-anna");
        jonas = await employee("jonas.meyer", "nordlicht-jonas");
        assert.equal(anna.getUserId(), "@anna.weber:nordlicht.example");
        assert.equal((await jonas.getProfileInfo(anna.getUserId())).displayname, "Anna Weber");
    });

    await t.test("a space with a channel is made and entered", async () => {
        const made = await anna.createRoom({
            name: "Engineering",
            preset: "public_chat",
            creation_content: { type: "m.space" },
        });
        space = made.room_id;
        const inside = await anna.createRoom({
            name: "general",
            invite: [jonas.getUserId()],
            initial_state: [
                { type: "m.space.parent", state_key: space, content: { canonical: true, via: ["nordlicht.example"] } },
            ],
        });
        channel = inside.room_id;
        await anna.sendStateEvent(space, "m.space.child", { via: ["nordlicht.example"] }, channel);

        const invited = () => jonas.getRoom(channel)?.getMyMembership() === "invite";
        await until(jonas, sdk.ClientEvent.Room, invited);
        await jonas.joinRoom(channel);
        await until(jonas, sdk.RoomEvent.MyMembership, () => jonas.getRoom(channel).getMyMembership() === "join");
        const hierarchy = await anna.getRoomHierarchy(space);
        assert.deepEqual(hierarchy.rooms.map((room) => room.room_id), [space, channel]);
        assert.equal(jonas.getRoom(channel).name, "general");
    });

    await t.test("a message arrives", async () => {
        first = (await anna.sendTextMessage(channel, "good morning")).event_id;
        await until(jonas, sdk.RoomEvent.Timeline, () => jonas.getRoom(channel).findEventById(first));
        assert.equal(jonas.getRoom(channel).findEventById(first).getContent().body, "good morning");
    });

    await t.test("typing is seen", async () => {
        await anna.sendTyping(channel, true, 20_000);
        const isTyping = () => jonas.getRoom(channel).getMember(anna.getUserId())?.typing;
        await until(jonas, sdk.RoomMemberEvent.Typing, isTyping);
        await anna.sendTyping(channel, false, 0);
        await until(jonas, sdk.RoomMemberEvent.Typing, () => !isTyping());
    });

    await t.test("a read receipt is seen", async () => {
        const event = jonas.getRoom(channel).findEventById(first);
        await jonas.sendReadReceipt(event);
        const hasRead = () => anna.getRoom(channel).hasUserReadEvent(jonas.getUserId(), first);
        await until(anna, sdk.RoomEvent.Receipt, hasRead);
    });

    await t.test("an edit and a reaction reach the others", async () => {
        await anna.sendEvent(channel, "m.room.message", {
            msgtype: "m.text",
            body: "* good morning, all",
            "m.new_content": { msgtype: "m.text", body: "good morning, all" },
            "m.relates_to": { rel_type: "m.replace", event_id: first },
        });
        const original = jonas.getRoom(channel).findEventById(first);
        const isEdited = () => original.getContent().body === "good morning, all";
        await until(original, sdk.MatrixEventEvent.Replaced, isEdited);

        await jonas.sendEvent(channel, "m.reaction", {
            "m.relates_to": { rel_type: "m.annotation", event_id: first, key: "👋" },
        });
        const reactions = () => {
            const found = anna.getRoom(channel).relations.getChildEventsForEvent(first, "m.annotation", "m.reaction");
            return found?.getSortedAnnotationsByKey() ?? [];
        };
        await until(anna, sdk.ClientEvent.Sync, () => reactions().some(([key]) => key === "👋"));
    });

    await t.test("a thread is answered and counted", async () => {
        // As clients do when somebody opens the thread's panel.
        const room = jonas.getRoom(channel);
        const opened = room.createThread(first, room.findEventById(first), [], false);
        await until(opened, sdk.ThreadEvent.Update, () => opened.initialEventsFetched);
        await jonas.sendMessage(channel, first, { msgtype: "m.text", body: "good morning from the thread" });
        const thread = () => anna.getRoom(channel).getThread(first);
        await until(anna.getRoom(channel), sdk.ThreadEvent.Update, () => thread()?.length === 1);
        assert.equal(thread().replyToEvent.getContent().body, "good morning from the thread");
        await until(anna, sdk.ClientEvent.Sync, () => {
            const count = anna.getRoom(channel).getThreadUnreadNotificationCount(first, sdk.NotificationCountType.Total);
            return count === 1;
        });
    });

    await t.test("five hundred messages are scrolled back without gap or double", async () => {
        for (let number = 0; number < 500; number++) await anna.sendTextMessage(channel, `line ${number}`);
        const fresh = await employee("jonas.meyer", "nordlicht-jonas");
        const room = fresh.getRoom(channel);
        while (room.oldState.paginationToken !== null) await fresh.scrollback(room, 50);
        const lines = bodies(room).filter((body) => body.startsWith("line "));
        assert.deepEqual(lines, Array.from({ length: 500 }, (_, number) => `line ${number}`));
        assert.equal(bodies(room)[0], "good morning, all");
    });

    await t.test("a second device follows the first", async () => {
        const phone = await employee("anna.weber", "nordlicht-anna");
        assert.notEqual(phone.getDeviceId(), anna.getDeviceId());
        const sent = (await anna.sendTextMessage(channel, "from the laptop")).event_id;
        await until(phone, sdk.RoomEvent.Timeline, () => phone.getRoom(channel).findEventById(sent));
        const back = (await phone.sendTextMessage(channel, "from the phone")).event_id;
        await until(anna, sdk.RoomEvent.Timeline, () => anna.getRoom(channel).findEventById(back));
        assert.equal((await anna.getDevices()).devices.length, 2);

        await phone.setAccountData("org.example.theme", { dark: true });
        await until(anna, sdk.ClientEvent.AccountData, () => anna.getAccountData("org.example.theme")?.getContent().dark);
        await phone.logout(true);
        assert.equal((await anna.getDevices()).devices.length, 1);
    });

    await t.test("a redaction takes the words away", async () => {
        const slip = (await anna.sendTextMessage(channel, "a slip")).event_id;
        await until(jonas, sdk.RoomEvent.Timeline, () => jonas.getRoom(channel).findEventById(slip));
        await anna.redactEvent(channel, slip);
        await until(jonas, sdk.RoomEvent.Redaction, () => jonas.getRoom(channel).findEventById(slip).isRedacted());
    });
});

// The library leaves timers of its requests running for minutes; nothing waits for them any more.
process.exit();
