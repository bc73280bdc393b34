// Somebody at a browser: an account, a page with the client, and requests to the server behind the client's back.

import { randomUUID } from "node:crypto";

/** What a page may complain of without a test failing. */
const IDLE_TALK = [/push rule/, /Failed to load resource/, /Got room state event for unknown room/];
const SIGN_IN_MS_MAX = 60_000;

export class Person {
  constructor(world, account, context, page) {
    Object.assign(this, { world, account, context, page, userId: account.userId });
    /** What the page complained of: for failures that a locator does not explain. */
    this.complaints = [];
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      const isTalk = IDLE_TALK.some((talk) => talk.test(message.text()));
      if (message.type() === "error" && !isTalk) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  /** Signs in by the form, waits for the shell, and passes by the first steps of somebody new unless asked to stay there. */
  async signIn({ staysAtWelcome = false } = {}) {
    const { page } = this;
    await page.goto(`${this.world.origin}/login`);
    await this.enterPassword();
    // Keys are made and the whole client is fetched: on a busy machine that takes its time.
    await page.getByRole("navigation", { name: "Servers" }).waitFor({ timeout: SIGN_IN_MS_MAX });
    if (!staysAtWelcome && new URL(page.url()).pathname === "/welcome") {
      await page.getByRole("button", { name: /^(Skip for now|Start)$/ }).click();
    }
  }

  /** Fills in the form of the sign-in page. */
  async enterPassword({ username = this.account.username, password = this.account.password } = {}) {
    const { page } = this;
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  /** Opens a room of this account in the client. */
  async open(roomId) {
    await this.page.goto(`${this.world.origin}/room/${encodeURIComponent(roomId)}`);
    await this.page.getByRole("log", { name: "Messages", exact: true }).waitFor();
  }

  /** Writes into the composer and sends it. */
  async say(text) {
    const composer = this.page.getByRole("textbox", { name: /^Message / });
    await composer.fill(text);
    await composer.press("Enter");
  }

  /** A message of the open timeline by its text. */
  message(text) {
    return this.page
      .getByRole("log", { name: "Messages", exact: true })
      .getByRole("article")
      .filter({ hasText: text });
  }

  // --- Behind the client's back -------------------------------------------------------------------------

  /** A request of this account to `/_matrix/client/v3/…`. */
  call(method, path, body) {
    return this.world.homeserver.call(method, `/_matrix/client/v3/${path}`, { account: this.account, body });
  }

  /** Makes a room with these people in it. */
  async createRoom({ name, members = [], isEncrypted = false, ...more } = {}) {
    const encryption = {
      type: "m.room.encryption",
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    };
    const { room_id: roomId } = await this.call("POST", "createRoom", {
      preset: "private_chat",
      name,
      invite: members.map(({ userId }) => userId),
      initial_state: isEncrypted ? [encryption] : [],
      ...more,
    });
    for (const member of members) await member.call("POST", `join/${encodeURIComponent(roomId)}`, {});
    return roomId;
  }

  /** Makes a space with these rooms in it, in this order. */
  async createSpace(name, rooms, more = {}) {
    const spaceId = await this.createRoom({ name, creation_content: { type: "m.space" }, ...more });
    for (const [index, roomId] of rooms.entries()) {
      const content = { via: [this.world.homeserver.name], order: String(index).padStart(4, "0") };
      const path = ["rooms", spaceId, "state", "m.space.child", roomId].map(encodeURIComponent).join("/");
      await this.call("PUT", path, content);
    }
    return spaceId;
  }

  /** Sends an event; gives its ID. */
  async send(roomId, content, type = "m.room.message") {
    const path = ["rooms", roomId, "send", type, randomUUID()].map(encodeURIComponent).join("/");
    const { event_id: eventId } = await this.call("PUT", path, content);
    return eventId;
  }

  sendText(roomId, body) {
    return this.send(roomId, { msgtype: "m.text", body });
  }
}
