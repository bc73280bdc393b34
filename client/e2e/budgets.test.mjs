// What the client may cost. Sizes, requests, rows and memory fail above their budget; times are told, and judged by
// `npm run measure` on an idle machine.

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Workday } from "./lib/workday.mjs";
import { World } from "./lib/world.mjs";

const DIST = new URL("../dist", import.meta.url).pathname;
const KB = 1000;
const LOGIN = { js: 130 * KB, css: 15 * KB, requests: 8 };
const FIRST_TIMELINE_JS = 600 * KB;
const ROOMS = 200;
const ROWS_MAX = 90;
/** How much more the last third of a day's work may leave on the heap than the second. */
const HEAP_GROWTH_MAX = 1.1;
const ROUNDS = 15;

const world = World.forTests();

/** Gathers what a page fetches of ours, in packed bytes by kind. */
function fetched(page) {
  const files = new Set();
  page.on("response", (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin === world.origin && response.status() === 200) files.add(pathname);
  });
  const bytes = (ending) =>
    [...files]
      .filter((path) => path.endsWith(ending))
      .reduce((sum, path) => sum + packedSize(join(DIST, path)), 0);
  return { files, bytes };
}

function packedSize(file) {
  if (!existsSync(file)) return 0;
  return statSync(existsSync(`${file}.gz`) ? `${file}.gz` : file).size;
}

test("the sign-in screen is small, and so is all that is fetched up to the first timeline", async (t) => {
  const account = await world.account("tiny");
  const visitor = await world.visitor(account, { serviceWorkers: "block" });
  const { files, bytes } = fetched(visitor.page);
  await visitor.page.goto(`${world.origin}/login`);
  await visitor.page.getByLabel("User name").waitFor();
  const [js, css] = [bytes(".js"), bytes(".css")];
  t.diagnostic(`sign-in: ${js} bytes of script, ${css} of styles, ${files.size} requests`);
  assert.ok(js <= LOGIN.js, `${js} bytes of script to sign in`);
  assert.ok(css <= LOGIN.css, `${css} bytes of styles to sign in`);
  assert.ok(files.size <= LOGIN.requests, `to sign in took ${[...files].join(" ")}`);
  const roomId = await visitor.createRoom({ name: "first" });
  await visitor.signIn();
  await visitor.open(roomId);
  const all = bytes(".js");
  t.diagnostic(`first timeline: ${all} bytes of script, ${bytes(".wasm")} of wasm`);
  assert.ok(all <= FIRST_TIMELINE_JS, `${all} bytes of script up to the first timeline`);
});

test("two hundred channels are few rows, and the way to a timeline is told", async (t) => {
  const person = await world.visitor(await world.account("busy"));
  const rooms = [];
  for (let index = 0; index < ROOMS; index++)
    rooms.push(await person.createRoom({ name: `channel-${index}` }));
  const spaceId = await person.createSpace("Everything", rooms);
  await person.sendText(rooms[7], "here it is");
  await person.signIn();
  await person.open(rooms[7]);
  await person.message("here it is").waitFor();
  const started = performance.now();
  await person.page.reload();
  await person.message("here it is").waitFor();
  t.diagnostic(`reload to a timeline with ${ROOMS} channels: ${Math.round(performance.now() - started)} ms`);
  const column = person.page.getByRole("navigation", { name: /^Channels/ });
  assert.ok((await column.getByRole("link").count()) <= ROWS_MAX, "the channel list is virtual");
  assert.ok(spaceId);
});

test("a day's work stays in its memory, and what was let go is there for who reads back", async (t) => {
  const day = await Workday.begin(world, { channels: 2 });
  const heaps = [];
  for (let round = 0; round < ROUNDS; round++) {
    await day.round({ messagesEach: 16 });
    if (round >= ROUNDS / 3) heaps.push((await day.living()).heapBytes);
  }
  const [second, last] = [heaps.slice(0, ROUNDS / 3), heaps.slice(ROUNDS / 3)].map(mean);
  t.diagnostic(`heap: ${Math.round(second / 1e5) / 10} MB, then ${Math.round(last / 1e5) / 10} MB`);
  assert.ok(last <= second * HEAP_GROWTH_MAX, `the heap went from ${second} to ${last} bytes`);
  assert.deepEqual(await day.readBack(), day.saidInLast(), "nothing is missing, doubled or out of order");
  assert.deepEqual(day.reader.complaints, []);
});

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
