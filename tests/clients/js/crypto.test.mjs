// Encrypted conversations with matrix-js-sdk and its WebAssembly cryptography, as in Element Web: two people, two
// devices each. Each step stands on those before it.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "matrix-js-sdk";
import { CryptoEvent, VerificationPhase, VerificationRequestEvent, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { logger } from "matrix-js-sdk/lib/logger.js";
import { startCompany } from "./server.mjs";

const PATIENCE_MS = 60_000;
const ENCRYPTION = { algorithm: "m.megolm.v1.aes-sha2" };
logger.setLevel("error", false);
// The cryptography tells each of its steps.
console.debug = () => {};

let company;
const clients = [];
/** The library holds verifications weakly: one that nobody else holds may be collected, and is never heard of again. */
const held = [];

/** Logs a device in, starts its cryptography and syncs. `recoveryKey` is what its person would type when asked. */
async function device(user, password, recoveryKey) {
    const anyone = sdk.createClient({ baseUrl: company.baseUrl });
    const identifier = { type: "m.id.user", user };
    const login = await anyone.loginRequest({ type: "m.login.password", identifier, password });
    const own = { recoveryKey, password, identifier };
    own.client = sdk.createClient({
        baseUrl: company.baseUrl,
        accessToken: login.access_token,
        userId: login.user_id,
        deviceId: login.device_id,
        cryptoCallbacks: {
            getSecretStorageKey: async ({ keys }) => {
                const [id] = Object.keys(keys);
                return own.recoveryKey ? [id, own.recoveryKey.privateKey] : null;
            },
        },
        verificationMethods: ["m.sas.v1"],
    });
    clients.push(own.client);
    await own.client.initRustCrypto({ useIndexedDB: false });
    own.crypto = own.client.getCrypto();
    await own.client.startClient({ initialSyncLimit: 30 });
    await until(own.client, sdk.ClientEvent.Sync, () => own.client.isInitialSyncComplete());
    return own;
}

/** Waits for a condition, which may be a promise, looking again at each event of this kind and now and then. */
function until(emitter, event, condition) {
    return new Promise((resolve, reject) => {
        let done = false;
        const finish = (settle, value) => {
            if (done) return;
            done = true;
            clearTimeout(deadline);
            clearInterval(again);
            emitter.off(event, look);
            settle(value);
        };
        const look = async () => {
            try {
                const found = await condition();
                if (found) finish(resolve, found);
            } catch (error) {
                finish(reject, error);
            }
        };
        const again = setInterval(look, 200);
        const deadline = setTimeout(() => {
            finish(reject, new Error(`waited in vain at ${event} for ${condition}`));
        }, PATIENCE_MS);
        emitter.on(event, look);
        look();
    });
}

/** Waits until the person's keys are in the backup: the library uploads them some seconds after they came. */
function isBackedUp(own) {
    // The library's own answer is one that it remembers.
    const backup = () => own.client.http.authedRequest(sdk.Method.Get, "/room_keys/version");
    return until(own.client, sdk.ClientEvent.Sync, async () => (await backup()).count > 0);
}

/** Signs the person's keys, makes a recovery key and a key backup. The server may ask for the password. */
async function setUp(own) {
    await own.crypto.bootstrapCrossSigning({
        authUploadDeviceSigningKeys: async (makeRequest) => {
            try {
                return await makeRequest(null);
            } catch (error) {
                if (error.httpStatus !== 401) throw error;
                const { password, identifier } = own;
                const session = error.data.session;
                return makeRequest({ type: "m.login.password", identifier, password, session });
            }
        },
    });
    own.recoveryKey = await own.crypto.createRecoveryKeyFromPassphrase();
    await own.crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => own.recoveryKey,
        setupNewSecretStorage: true,
        setupNewKeyBackup: true,
    });
}

/** The text of an event as this device reads it, as soon as it can. */
async function reads(own, room, eventId) {
    const find = () => own.client.getRoom(room)?.findEventById(eventId);
    const event = await until(own.client, sdk.RoomEvent.Timeline, find);
    assert.equal(event.getWireType(), "m.room.encrypted", "the message travelled encrypted");
    const text = () => !event.isDecryptionFailure() && event.getClearContent()?.body;
    return until(own.client, sdk.MatrixEventEvent.Decrypted, text);
}

/** Waits until a device has worked in an event of this type, which came in a room or to it alone. */
function hears({ client }, type) {
    return new Promise((resolve) => {
        const ways = [sdk.ClientEvent.Event, sdk.ClientEvent.ToDeviceEvent];
        const hear = (event) => {
            if (event.getType() !== type) return;
            for (const way of ways) client.off(way, hear);
            setImmediate(resolve);
        };
        for (const way of ways) client.on(way, hear);
    });
}

/** Compares emoji between the one who asked and the one who was asked, on this device. */
async function compareEmoji(asked, answering, device) {
    await answering.accept();
    await until(asked, VerificationRequestEvent.Change, () => asked.phase === VerificationPhase.Ready);
    const verifier = await asked.startVerification("m.sas.v1");
    const other = await until(answering, VerificationRequestEvent.Change, () => answering.verifier);
    held.push(asked, answering, verifier, other);
    const shown = (which) => new Promise((resolve) => which.once(VerifierEvent.ShowSas, resolve));
    const emoji = Promise.all([shown(verifier), shown(other)]);
    const failed = Promise.all([verifier.verify(), other.verify()]).then(() => new Promise(() => {}));
    const [mine, theirs] = await emoji;
    assert.deepEqual(mine.sas.emoji, theirs.sas.emoji);
    // The library does not always hear of the end by itself: it is looked for.
    const isDone = () => [asked, answering].every((request) => request.phase === VerificationPhase.Done);
    const done = until(asked, VerificationRequestEvent.Change, isDone);
    // One after the other: of two who confirm at the same moment, the library may say to one that the other is done before it says
    // what it confirmed, for the two requests race. Then the one waits for the rest for ever.
    const heard = hears(device, "m.key.verification.mac");
    await Promise.race([failed, done, mine.confirm().then(() => heard)]);
    await Promise.race([failed, Promise.all([theirs.confirm(), done])]);
}

const received = (own) => new Promise((resolve) => own.client.once(CryptoEvent.VerificationRequestReceived, resolve));

/** Waits until a device knows another one: requests of strangers are ignored. */
function knows(own, other) {
    const [user, device] = [other.client.getUserId(), other.client.getDeviceId()];
    const isKnown = async () => (await own.crypto.getUserDeviceInfo([user])).get(user)?.has(device);
    return until(own.client, CryptoEvent.DevicesUpdated, isKnown);
}

await test("an encrypted conversation", { timeout: 300_000 }, async (t) => {
    let anna, jonas, annasPhone, jonasLaptop, room, first;
    company = await startCompany();
    t.after(async () => {
        for (const client of clients) client.stopClient();
        await company.stop();
    });

    await t.test("two people set up cross-signing, recovery and a key backup", async () => {
        anna = await device("anna.weber", "nordlicht-anna");
        jonas = await device("jonas.meyer", "nordlicht-jonas");
        for (const own of [anna, jonas]) {
            await setUp(own);
            assert.ok(await own.crypto.isCrossSigningReady());
            assert.ok(await own.crypto.isSecretStorageReady());
            const status = await own.crypto.getDeviceVerificationStatus(own.client.getUserId(), own.client.getDeviceId());
            assert.ok(status.signedByOwner, "the device is signed by its owner");
            assert.ok((await own.crypto.checkKeyBackupAndEnable()).trustInfo.trusted);
        }
    });

    await t.test("a message is encrypted and read", async () => {
        const made = await anna.client.createRoom({
            invite: [jonas.client.getUserId()],
            is_direct: true,
            initial_state: [{ type: "m.room.encryption", state_key: "", content: ENCRYPTION }],
        });
        room = made.room_id;
        await until(jonas.client, sdk.ClientEvent.Room, () => jonas.client.getRoom(room));
        await jonas.client.joinRoom(room);
        const joined = () => anna.client.getRoom(room)?.getMember(jonas.client.getUserId())?.membership === "join";
        await until(anna.client, sdk.RoomMemberEvent.Membership, joined);
        first = (await anna.client.sendTextMessage(room, "only for us")).event_id;
        assert.equal(await reads(jonas, room, first), "only for us");
        const answer = (await jonas.client.sendTextMessage(room, "nobody else reads this")).event_id;
        assert.equal(await reads(anna, room, answer), "nobody else reads this");
    });

    await t.test("two people verify each other by emoji", async () => {
        await Promise.all([knows(jonas, anna), knows(anna, jonas)]);
        const request = received(jonas);
        const asked = await anna.crypto.requestVerificationDM(jonas.client.getUserId(), room);
        await compareEmoji(asked, await request, jonas);
        for (const [own, other] of [[anna, jonas], [jonas, anna]]) {
            const isVerified = async () =>
                (await own.crypto.getUserVerificationStatus(other.client.getUserId())).isCrossSigningVerified();
            await until(own.client, CryptoEvent.UserTrustStatusChanged, isVerified);
        }
    });

    await t.test("a new device is verified by an old one, gets its secrets, and reads what was said before", async () => {
        await isBackedUp(anna);
        annasPhone = await device("anna.weber", "nordlicht-anna");
        assert.equal(await annasPhone.crypto.isCrossSigningReady(), false);
        await Promise.all([knows(anna, annasPhone), knows(annasPhone, anna)]);
        const request = received(anna);
        const asked = await annasPhone.crypto.requestOwnUserVerification();
        await compareEmoji(asked, await request, anna);
        await until(annasPhone.client, CryptoEvent.KeysChanged, () => annasPhone.crypto.isCrossSigningReady());
        const hasBackupKey = async () => (await annasPhone.crypto.getSessionBackupPrivateKey()) !== null;
        await until(annasPhone.client, CryptoEvent.KeyBackupDecryptionKeyCached, hasBackupKey);
        assert.equal(await reads(annasPhone, room, first), "only for us");
    });

    await t.test("a new device alone recovers everything with the recovery key", async () => {
        await isBackedUp(jonas);
        jonasLaptop = await device("jonas.meyer", "nordlicht-jonas", jonas.recoveryKey);
        await until(jonasLaptop.client, CryptoEvent.KeysChanged, () => jonasLaptop.crypto.userHasCrossSigningKeys());
        await jonasLaptop.crypto.bootstrapCrossSigning({});
        await jonasLaptop.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        const restored = await jonasLaptop.crypto.restoreKeyBackup();
        assert.ok(restored.imported > 0 && restored.imported === restored.total);
        assert.equal(await reads(jonasLaptop, room, first), "only for us");
        const me = [jonasLaptop.client.getUserId(), jonasLaptop.client.getDeviceId()];
        assert.ok((await jonasLaptop.crypto.getDeviceVerificationStatus(...me)).signedByOwner);
        const isTrusted = async () => (await anna.crypto.getDeviceVerificationStatus(...me))?.crossSigningVerified;
        await until(anna.client, CryptoEvent.DevicesUpdated, isTrusted);
    });

    await t.test("every device reads what any of them says", async () => {
        const all = [anna, jonas, annasPhone, jonasLaptop];
        for (const [number, speaker] of all.entries()) {
            const text = `from device ${number}`;
            const sent = (await speaker.client.sendTextMessage(room, text)).event_id;
            for (const own of all) assert.equal(await reads(own, room, sent), text);
        }
    });

    await t.test("a device that is logged out reads nothing new", async () => {
        const [user, gone] = [jonasLaptop.client.getUserId(), jonasLaptop.client.getDeviceId()];
        await jonasLaptop.client.logout(true);
        const isGone = async () => {
            const devices = await anna.crypto.getUserDeviceInfo([user]);
            return !devices.get(user).has(gone);
        };
        await until(anna.client, CryptoEvent.DevicesUpdated, isGone);
    });
});

// The library leaves timers of its requests running for minutes; nothing waits for them any more.
process.exit();
