// Somebody at a browser: an account, a page of the harness, and what a test asks of both.

import { until } from "../../lib/until.mjs";

/** What the library says of every account that is new. */
const IDLE_TALK = /push rule/;
/** Small enough that a small machine holds several; only one layer is sent. */
const SMALL = { width: 320, height: 180, frameRate: 10 };

export class Person {
    /** The harness page, and its object that tests talk to. */
    static page = "page";
    static handle = "person";

    /** Registers somebody, opens a browser's page for them and logs them in there; `path` is their network, if special. */
    static async come({ homeserver, browser, site }, name, path) {
        const account = await homeserver.register(name);
        const context = await browser.newContext();
        await path?.lead(context);
        const person = new this(homeserver, account, await context.newPage(), name);
        await person.prepare();
        await person.page.goto(`${site.origin}/${this.page}`);
        await person.ask("signIn", account);
        return person;
    }

    constructor(homeserver, account, page, name) {
        Object.assign(this, { homeserver, account, page, name, userId: account.userId });
        /** What the page complained of, for failures that numbers do not explain. */
        this.complaints = [];
        page.on("console", (message) => {
            const isComplaint = ["error", "warning"].includes(message.type()) && !IDLE_TALK.test(message.text());
            if (isComplaint) this.complaints.push(message.text());
        });
        page.on("pageerror", (error) => this.complaints.push(String(error)));
    }

    /** What is to be done before the page opens. */
    async prepare() {}

    /** Makes a room with these people in it, and waits until every page knows. */
    async createRoom(others, { isEncrypted = false, ...more } = {}) {
        const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
        const { room_id: roomId } = await this.call("POST", "createRoom", {
            preset: "private_chat",
            invite: others.map(({ userId }) => userId),
            initial_state: isEncrypted ? [encryption] : [],
            ...more,
        });
        const via = `?via=${this.homeserver.name}`;
        for (const other of others) await other.call("POST", `join/${encodeURIComponent(roomId)}${via}`, {});
        const people = [this, ...others];
        const userIds = people.map(({ userId }) => userId);
        for (const person of people) {
            await until(`${person.name} sees everybody in the room`, () => person.ask("sees", roomId, userIds));
        }
        return roomId;
    }

    /** Joins the room's call; the rest has values that suit most tests. */
    join(roomId, options = {}) {
        return this.ask("join", {
            roomId,
            dialect: "compatibility",
            capture: SMALL,
            tileWidth: 320,
            isEncrypted: false,
            leaveDelayMs: 8_000,
            delegatesLeave: false,
            isGhost: false,
            ...options,
        });
    }

    hangUp() {
        return this.ask("hangUp");
    }

    report() {
        return this.ask("report");
    }

    /** Calls something of the page's `window.person`. */
    ask(what, ...args) {
        const { handle } = this.constructor;
        return this.page.evaluate(([handle, what, args]) => window[handle][what](...args), [handle, what, args]);
    }

    /** A request to the homeserver, without the page. */
    call(method, path, body) {
        return this.homeserver.call(method, `/_matrix/client/v3/${path}`, { account: this.account, body });
    }

    /** Ends the page's process, as a fault in the browser does: nothing is said to anybody. */
    async crash() {
        const devtools = await this.page.context().newCDPSession(this.page);
        const hasCrashed = new Promise((resolve) => this.page.once("crash", resolve));
        devtools.send("Page.crash").catch(() => {});
        await hasCrashed;
    }
}
