// A day's work in short: a reader who goes from channel to channel, opens what there is to open, and is written to all the while.

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR42mNkYPhfz4AHMIxKYwUAa9sFCeG6hzQAAAAASUVORK5CYII=",
  "base64",
);

export class Workday {
  #round = 0;
  #sent = 0;
  #saidInLast = [];

  /** Furnishes so many channels, each with a thread, in a server of the reader's. */
  static async begin(world, { channels }) {
    const [reader, writer] = [
      await world.visitor(await world.account("reader")),
      await world.account("writer"),
    ];
    const day = new Workday();
    Object.assign(day, { world, reader, writer, rooms: [] });
    const other = { userId: writer.userId, call: day.#write.bind(day) };
    for (let index = 0; index < channels; index++) {
      const roomId = await reader.createRoom({ name: `busy-${index}`, members: [other] });
      day.rooms.push(roomId);
      const root = await reader.sendText(roomId, "where it began");
      await reader.send(roomId, {
        msgtype: "m.text",
        body: "an answer",
        "m.relates_to": { rel_type: "m.thread", event_id: root },
      });
    }
    await reader.createSpace("Work", day.rooms);
    await reader.signIn();
    await reader.open(day.rooms[0]);
    return day;
  }

  /** The numbers of all news of the last channel, in order. */
  saidInLast() {
    return this.#saidInLast;
  }

  /** Reads the open channel back to its beginning: the numbers of its news, in the order in which they stand. */
  async readBack() {
    const numbers = await this.reader.page
      .getByRole("log", { name: "Messages", exact: true })
      .evaluate(async (log) => {
        const found = [];
        while (!found.isWhole) {
          const here = [...log.querySelectorAll("article")].flatMap((row) => {
            const [, number] = /news (\d+):/.exec(row.querySelector("p")?.textContent ?? "") ?? [];
            return number ? [Number(number)] : [];
          });
          const known = here.indexOf(found[0]);
          found.unshift(...(known < 0 ? here : here.slice(0, known)));
          found.isWhole = log.textContent.includes("where it began");
          log.scrollBy(0, -log.clientHeight / 2);
          await new Promise(requestAnimationFrame);
        }
        return [...found];
      });
    return numbers;
  }

  get messages() {
    return this.#sent;
  }

  /** Once through all channels, with so many new messages in each; and one of the things that people open. */
  async round({ messagesEach }) {
    const { page } = this.reader;
    for (const [index, roomId] of this.rooms.entries()) {
      await this.#sayMuch(roomId, messagesEach - 1);
      await this.reader.send(roomId, {
        msgtype: "m.image",
        body: "picture.png",
        url: await this.#picture(),
        info: { mimetype: "image/png", w: 60, h: 60 },
      });
      await this.#say(roomId);
      const link = page.locator(`nav a[href="/room/${encodeURIComponent(roomId)}"]`).first();
      await link.click();
      await page.getByRole("textbox", { name: `Message #busy-${index}`, exact: true }).waitFor();
      await this.reader.message(`news ${this.#sent}:`).first().waitFor();
    }
    await this.#openSomething();
    this.#round++;
  }

  /** What lives in the page after a collection: bytes of the script's heap, nodes of documents, listeners. */
  async living() {
    const devtools = await this.reader.page.context().newCDPSession(this.reader.page);
    // The second collects what the finalisers of the first let go.
    for (let time = 0; time < 2; time++) await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
    await devtools.detach();
    return { heapBytes: usedSize, nodes, listeners: jsEventListeners };
  }

  async #openSomething() {
    const { page } = this.reader;
    const acts = [
      async () => {
        await page.keyboard.press("Control+k");
        await page.keyboard.type("busy");
        await page.getByRole("option").first().waitFor();
        await this.#escape(page.getByRole("dialog"));
      },
      async () => {
        await page.getByRole("button", { name: "Threads" }).last().click();
        const panel = page.getByRole("complementary", { name: "Threads" });
        await panel.getByRole("button", { name: "Close panel" }).click();
        await panel.waitFor({ state: "detached" });
      },
      async () => {
        await page.getByRole("button", { name: "Open the picture picture.png" }).last().click();
        await page.getByRole("dialog").waitFor();
        await this.#escape(page.getByRole("dialog"));
      },
      async () => {
        await this.reader.message("news").last().click({ button: "right" });
        await page.getByRole("menu").waitFor();
        await this.#escape(page.getByRole("menu"));
      },
    ];
    await acts[this.#round % acts.length]();
  }

  /** The first press may be for what is inside. */
  async #escape(opened) {
    while ((await opened.count()) > 0) {
      await this.reader.page.keyboard.press("Escape");
      await opened.waitFor({ state: "detached", timeout: 2_000 }).catch(() => {});
    }
  }

  async #picture() {
    this.picture ??= await fetch(`${this.world.origin}/_matrix/media/v3/upload?filename=picture.png`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.writer.accessToken}`, "content-type": "image/png" },
      body: PICTURE,
    }).then(async (answer) => (await answer.json()).content_uri);
    return this.picture;
  }

  /** One after the other only where their order is asked for later. */
  async #sayMuch(roomId, count) {
    const isOrdered = roomId === this.rooms.at(-1);
    if (!isOrdered) await Promise.all(Array.from({ length: count }, () => this.#say(roomId)));
    else for (let left = count; left > 0; left--) await this.#say(roomId);
  }

  async #say(roomId) {
    const number = ++this.#sent;
    if (roomId === this.rooms.at(-1)) this.#saidInLast.push(number);
    const content = { msgtype: "m.text", body: `news ${number}: ${"and more ".repeat(number % 9)}` };
    const path = ["rooms", roomId, "send", "m.room.message", `news-${number}`]
      .map(encodeURIComponent)
      .join("/");
    return this.#write("PUT", path, content);
  }

  #write(method, path, body) {
    return this.world.homeserver.call(method, `/_matrix/client/v3/${path}`, { account: this.writer, body });
  }
}
