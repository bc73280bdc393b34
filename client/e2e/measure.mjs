// How fast the client is and how much memory it takes, on this machine: `npm run measure`. Prints a table in Markdown.
//
// `--minutes N`: how long the simulated use lasts after which the heap is compared (10).
// `--only NAME`: one part alone: `coldStart`, `crowd`, `scrolling`, `longUse`.

import { World } from "./lib/world.mjs";

const MINUTES = Number(process.argv[process.argv.indexOf("--minutes") + 1]) || 10;
const ONLY = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const ROOMS = 200;
const MEMBERS = 2_000;
const MESSAGES = 10_000;
const WARM_UP_MS = 60_000;
const FAMILIES = ["Weber", "Okafor", "Tanaka", "Nowak", "Haldar", "Krüger", "Rivera", "Anand"];

const world = new World();
await world.open();
const rows = [];
const tell = (what, value) => {
  rows.push(`| ${what} | ${value} |`);
  console.log(`${what}: ${value}`);
};
try {
  for (const part of [coldStart, crowd, scrolling, longUse])
    if (ONLY === undefined || part.name === ONLY) await part();
  console.log(`\n| What | Measured |\n| --- | --- |\n${rows.join("\n")}`);
} finally {
  await world.close();
}

async function coldStart() {
  const person = await world.visitor(await world.account("cold"));
  const rooms = [];
  for (let index = 0; index < ROOMS; index++)
    rooms.push(await person.createRoom({ name: `channel-${index}` }));
  await person.createSpace("Everything", rooms);
  await person.sendText(rooms[7], "here it is");
  await person.signIn();
  await person.open(rooms[7]);
  await person.message("here it is").waitFor();
  const times = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await person.page.reload({ waitUntil: "commit" });
    await person.message("here it is").waitFor();
    times.push(performance.now() - started);
  }
  tell(
    `page to timeline, ${ROOMS} channels, session stored`,
    `${median(times)} ms (median of ${times.length})`,
  );
  await person.open(rooms[8]);
  const switches = [];
  for (const roomId of [rooms[7], rooms[8], rooms[7]]) {
    const path = `/room/${encodeURIComponent(roomId)}`;
    const link = person.page.locator(`a[href="${path}"]`).first();
    await link.scrollIntoViewIfNeeded();
    const started = performance.now();
    await link.click();
    await person.page.getByRole("textbox", { name: /^Message / }).waitFor();
    switches.push(performance.now() - started);
  }
  tell("to another channel that was open before", `${median(switches)} ms`);
  await person.context.close();
}

/** A channel that the whole company is in, beside one of two people. */
async function crowd() {
  const person = await world.visitor(await world.account("zora"));
  const everybody = await person.createRoom({ name: "everybody", preset: "public_chat" });
  const few = await person.createRoom({ name: "few" });
  const lobby = await person.createRoom({ name: "lobby" });
  await person.createSpace("Company", [lobby, few, everybody]);
  for (let made = 0; made < MEMBERS - 1; made += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, MEMBERS - 1 - made) }, async (_, index) => {
        const account = await world.account(`m${made + index}`);
        const call = (method, path, body) =>
          world.homeserver.call(method, `/_matrix/client/v3/${path}`, { account, body });
        await call("PUT", `profile/${encodeURIComponent(account.userId)}/displayname`, {
          displayname: `${FAMILIES[index % FAMILIES.length]} ${made + index}`,
        });
        await call("POST", `join/${encodeURIComponent(everybody)}`, {});
        if (index % 4 === 0)
          await call("PUT", `presence/${encodeURIComponent(account.userId)}/status`, { presence: "online" });
      }),
    );
  }
  await person.signIn();
  await person.open(lobby);
  const { page } = person;
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname.split("/").slice(4).join("/")));
  for (const [name, roomId] of [
    ["few", few],
    ["everybody", everybody],
  ]) {
    asked.length = 0;
    const started = performance.now();
    await page
      .locator(`nav a[href="/room/${encodeURIComponent(roomId)}"]`)
      .first()
      .click();
    await page.getByRole("textbox", { name: `Message #${name}` }).waitFor();
    const shown = performance.now() - started;
    await page.getByRole("complementary").getByRole("button", { name: /^zora/ }).waitFor();
    const listed = performance.now() - started;
    tell(`channel #${name}`, `open after ${Math.round(shown)} ms, members after ${Math.round(listed)} ms`);
    // Titles are asked for once rows have stayed; sync never ends.
    await page.waitForTimeout(2_000);
    tell(`requests for #${name}`, `${asked.filter((path) => !path.startsWith("sync")).length}`);
  }
  tell("member rows in the document", String(await page.locator("[data-member]").count()));
  const frames = await page.evaluate(async () => {
    const list = document.querySelector("[data-member]").parentElement.parentElement.parentElement;
    const gaps = [];
    let last = performance.now();
    for (let step = 0; step < 300; step++) {
      list.scrollTop += 200;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    return { gaps, top: list.scrollTop };
  });
  tell("scrolled through members to", `${Math.round(frames.top)} px`);
  tell("scrolling through members: frame time", spread(frames.gaps));
  const field = page.getByRole("textbox", { name: /^Message / });
  const keys = await field.evaluate(async (element) => {
    element.focus();
    const gaps = [];
    const write = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    for (const text of ["@", "@w", "@we", "@web", "@webe", "@weber 1", "@weber 19"]) {
      const started = performance.now();
      write.call(element, text);
      element.setSelectionRange(text.length, text.length);
      element.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise(requestAnimationFrame);
      await new Promise((resolve) => setTimeout(resolve));
      gaps.push(performance.now() - started);
    }
    return gaps;
  });
  await page.getByRole("option").first().waitFor();
  tell("a key of a mention, to its frame", spread(keys));
  await person.context.close();
}

function spread(gaps) {
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor(sorted.length * share)].toFixed(1);
  return `median ${at(0.5)}, p95 ${at(0.95)}, worst ${sorted.at(-1).toFixed(0)} ms`;
}

async function scrolling() {
  const person = await world.visitor(await world.account("scroller"));
  const roomId = await person.createRoom({ name: "long" });
  for (let sent = 0; sent < MESSAGES; sent += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        person.sendText(roomId, `message ${sent + index} ${"lorem ipsum ".repeat((sent + index) % 17)}`),
      ),
    );
  }
  await person.signIn();
  await person.open(roomId);
  const { page } = person;
  await page.getByRole("article").first().waitFor();
  const frames = await page.evaluate(async () => {
    const log = document.querySelector("[role=log]");
    const scroller = [log, ...log.querySelectorAll("*")].find(
      (element) => element.scrollHeight > element.clientHeight + 100,
    );
    const gaps = [];
    let last = performance.now();
    const until = last + 30_000;
    while (last < until) {
      scroller.scrollTop -= 400;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    return gaps;
  });
  tell(`scrolling back through ${MESSAGES} messages for 30 s: frame time`, spread(frames));
  tell("heap after that", `${await heapMb(page)} MB`);
  tell("rows in the document", String(await page.getByRole("article").count()));
  await person.context.close();
}

async function longUse() {
  const [reader, writer] = [await world.person("reader"), await world.visitor(await world.account("writer"))];
  const rooms = [];
  for (let index = 0; index < 8; index++)
    rooms.push(await reader.createRoom({ name: `busy-${index}`, members: [writer] }));
  await reader.open(rooms[0]);
  let count = 0;
  const use = async (ms) => {
    const until = Date.now() + ms;
    while (Date.now() < until) {
      const roomId = rooms[count % rooms.length];
      await Promise.all(Array.from({ length: 10 }, () => writer.sendText(roomId, `news ${count++}`)));
      const link = reader.page.locator(`a[href="/room/${encodeURIComponent(roomId)}"]`).first();
      if (await link.count()) await link.click();
      await reader.page.getByRole("textbox", { name: /^Message / }).waitFor();
    }
  };
  await use(WARM_UP_MS);
  const before = await heapMb(reader.page);
  await use(MINUTES * 60_000);
  const after = await heapMb(reader.page);
  tell(
    `heap after ${MINUTES} minutes of use, ${count} messages, a channel change with every ten`,
    `${before} → ${after} MB`,
  );
}

/** The live heap, after a collection. */
async function heapMb(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  return Math.round(usedSize / 1e6);
}

function median(values) {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]);
}
