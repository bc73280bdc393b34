// Somebody at a voice channel, and what of the call arrives at their browser.

import { until } from "../../../tests/clients/lib/until.mjs";

const VOICE_ROOM_TYPE = "org.matrix.msc3417.call";

export class Voice {
  constructor(person) {
    Object.assign(this, { person, page: person.page });
  }

  /** Somebody signed in, whose pages remember every connection that they make, to be asked for statistics. */
  static async signIn(world, name, options) {
    const person = await world.visitor(await world.account(name), options);
    await person.context.addInitScript(() => {
      const Native = globalThis.RTCPeerConnection;
      const all = [];
      globalThis.RTCPeerConnection = class extends Native {
        constructor(...options) {
          super(...options);
          all.push(this);
        }
      };
      globalThis.allConnections = all;
    });
    await person.signIn();
    return new Voice(person);
  }

  /** Makes a voice channel with these people in it; settles when all see it. */
  async opensChannel(name, others, more = {}) {
    const roomId = await this.person.createRoom({
      name,
      members: others.map(({ person }) => person),
      creation_content: { type: VOICE_ROOM_TYPE },
      ...more,
    });
    for (const voice of [this, ...others]) voice.channel = name;
    await Promise.all([this, ...others].map((voice) => voice.row.waitFor()));
    return roomId;
  }

  /** Makes an encrypted direct message with somebody, and opens it on both sides. */
  async opensDirect(other) {
    const [me, you] = [this.person, other.person];
    const roomId = await me.createRoom({
      members: [you],
      preset: "trusted_private_chat",
      is_direct: true,
      isEncrypted: true,
    });
    const mark = (person, { userId }) =>
      person.call("PUT", `user/${encodeURIComponent(person.userId)}/account_data/m.direct`, {
        [userId]: [roomId],
      });
    await Promise.all([mark(me, you), mark(you, me)]);
    await Promise.all([me.open(roomId), you.open(roomId)]);
    Object.assign(this, { channel: you.account.username });
    Object.assign(other, { channel: me.account.username });
  }

  /** Ends the page as a crash would: it has no time to say anything. */
  async crash() {
    const session = await this.person.context.newCDPSession(this.page);
    // The answer to this never comes.
    session.send("Page.crash").catch(() => {});
    await this.page.waitForEvent("crash");
  }

  dockGoes() {
    return this.dock.waitFor({ state: "detached" });
  }

  get row() {
    return this.page.getByRole("navigation", { name: "Channels" }).getByRole("link", { name: this.channel });
  }

  get dock() {
    return this.page.getByRole("region", { name: `Voice: ${this.channel}` });
  }

  get inside() {
    return this.page.getByRole("navigation", { name: "Channels" }).getByRole("list", { name: /in the call/ });
  }

  get stage() {
    return this.page.getByRole("region", { name: "Stage", exact: true });
  }

  /** One click, and we are in. */
  async join() {
    await this.row.click();
    await this.dock.getByText(/Excellent|Good|Connected/).waitFor();
  }

  press(name) {
    return this.dock.getByRole("button", { name, exact: true }).click();
  }

  /** Waits until exactly these people are listed below the channel. */
  async lists(names, patienceMs = 30_000) {
    const rows = this.inside.getByRole("listitem");
    await until(
      `${this.person.account.username} sees ${names} in the call`,
      () => rows.allInnerTexts(),
      (seen) =>
        seen.length === names.length && names.every((name) => seen.some((text) => text.includes(name))),
      patienceMs,
    );
  }

  listed(name) {
    return this.inside.getByRole("listitem").filter({ hasText: name });
  }

  /** What arrives: bytes, frames and energy of everything received so far. */
  received() {
    return this.page.evaluate(async () => {
      const sum = { audio: 0, energy: 0, frames: 0 };
      for (const connection of globalThis.allConnections) {
        if (connection.connectionState === "closed") continue;
        for (const entry of (await connection.getStats()).values()) {
          if (entry.type !== "inbound-rtp") continue;
          sum.audio += entry.kind === "audio" ? entry.bytesReceived : 0;
          sum.energy += entry.totalAudioEnergy ?? 0;
          sum.frames += entry.framesDecoded ?? 0;
        }
      }
      return sum;
    });
  }

  /** Waits until more sound has come than there was. */
  async hears() {
    const before = await this.received();
    await until(
      `${this.person.account.username} hears something`,
      () => this.received(),
      ({ energy }) => energy > before.energy + 0.001,
    );
  }

  /** Waits until this video on the stage shows moving pictures; gives their height. */
  async sees(label) {
    const video = this.stage.locator("video").and(this.stage.getByLabel(label));
    let before = 0;
    const { videoHeight } = await until(
      `${this.person.account.username} sees ${label}`,
      () => video.evaluate(({ currentTime, videoHeight }) => ({ currentTime, videoHeight })),
      ({ currentTime, videoHeight }) => {
        const moves = before > 0 && currentTime > before && videoHeight > 0;
        before = currentTime;
        return moves;
      },
    );
    return videoHeight;
  }

  /** Waits until nothing more sounds. */
  async hearsNothing() {
    let before = -1;
    let quiet = 0;
    await until(
      `${this.person.account.username} hears nothing`,
      () => this.received(),
      ({ energy }) => {
        quiet = energy === before ? quiet + 1 : 0;
        before = energy;
        return quiet >= 5;
      },
    );
  }
}
