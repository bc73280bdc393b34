// Settings: what is chosen shows at once, stays, and reaches the server where it concerns the account.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { until } from "../../tests/clients/lib/until.mjs";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();
const PAGES = [
  "Profile and status",
  "Notifications",
  "Privacy",
  "Sessions",
  "Encryption",
  "Access tokens and bots",
  "Appearance",
  "Voice and video",
  "Accessibility",
  "Keyboard shortcuts",
  "Moderation log",
  "Export my data",
  "About",
];

const openSettings = (person, page) => person.page.goto(`${world.origin}/settings/${page}`);
const root = (person) =>
  person.page.evaluate(() => {
    const { dataset, lang } = document.documentElement;
    const size = getComputedStyle(document.documentElement).fontSize;
    return { theme: dataset.theme, density: dataset.density, links: dataset.links, lang, size };
  });

test("looks, text size and language apply at once and survive a reload", async () => {
  const anna = await world.person("anna");
  const { page } = anna;
  await openSettings(anna, "appearance");
  await page.getByRole("radio", { name: "Light" }).check({ force: true });
  await page.getByRole("radio", { name: "Compact" }).check({ force: true });
  await page.getByRole("radio", { name: "125 %" }).check({ force: true });
  await page.getByRole("radio", { name: "12 hours" }).check({ force: true });
  await page.getByText("02:05 pm").waitFor();
  await page.getByRole("button", { name: /Language/ }).click();
  await page.getByRole("option", { name: "Deutsch" }).click();
  await page.getByRole("heading", { name: "Darstellung" }).waitFor();
  const chosen = { theme: "light", density: "compact", links: "plain", lang: "de", size: "18.125px" };
  assert.deepEqual(await root(anna), chosen);
  await page.reload();
  await page.getByRole("heading", { name: "Darstellung" }).waitFor();
  assert.deepEqual(await root(anna), chosen);
  assert.deepEqual(anna.complaints, []);
});

test("every page is reached by the keyboard, and is accessible in both themes", async () => {
  const ben = await world.person("ben");
  const { page } = ben;
  await ben.createSpace("Northwind Labs", [await ben.createRoom({ name: "general" })]);
  await openSettings(ben, "all");
  const pages = page.getByRole("navigation", { name: "Pages of the settings" });
  for (const name of PAGES) {
    const link = pages.getByRole("link", { name });
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name }).waitFor();
    for (const theme of ["dark", "light"]) {
      await page.evaluate((wanted) => {
        document.documentElement.dataset.theme = wanted;
      }, theme);
      await assertAccessible(page, `${name}, ${theme}`);
    }
  }
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Settings" }).waitFor({ state: "detached" });
  assert.deepEqual(ben.complaints, []);
});

test("levels of notifications become push rules at the server", async () => {
  const cleo = await world.person("cleo");
  const { page } = cleo;
  const roomId = await cleo.createRoom({ name: "general" });
  await cleo.createSpace("Northwind Labs", [roomId]);
  const rules = async () => (await cleo.call("GET", "pushrules/")).global;
  await openSettings(cleo, "notifications");
  await page.getByRole("region", { name: "Your account" }).getByText("Only mentions").click();
  await until(
    "messages of channels notify no more",
    async () =>
      (await rules()).underride.find(({ rule_id: id }) => id === ".m.rule.message").enabled === false,
  );
  await page.getByRole("textbox", { name: "Word" }).fill("incident");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Remove incident" }).waitFor();
  assert.ok((await rules()).content.some(({ pattern }) => pattern === "incident"));
  const level = page.getByRole("button", { name: /general$/ });
  await level.click();
  await page.getByRole("option", { name: "Nothing" }).click();
  await until("the channel is silent", async () =>
    (await rules()).override.some(({ rule_id: id, actions }) => id === roomId && actions.length === 0),
  );
  await page.reload();
  await page.getByRole("button", { name: "Remove incident" }).click();
  await until(
    "the word is gone",
    async () => !((await rules()).content ?? []).some(({ pattern }) => pattern === "incident"),
  );
  assert.deepEqual(cleo.complaints, []);
});

test("a message elsewhere shows on the desktop, leads there, and goes when it is read", async () => {
  const dana = await world.visitor(await world.account("dana"));
  const emil = await world.account("emil");
  await dana.context.addInitScript(() => {
    window.notifications = [];
    window.Notification = class {
      static permission = "granted";
      static requestPermission = async () => "granted";
      constructor(title, options) {
        Object.assign(this, { title, ...options, isClosed: false });
        window.notifications.push(this);
      }
      close() {
        this.isClosed = true;
        this.onclose?.();
      }
    };
  });
  await dana.signIn();
  const { page } = dana;
  const shown = () =>
    page.evaluate(() => window.notifications.map(({ title, body, isClosed }) => ({ title, body, isClosed })));
  const sender = await world.visitor(emil);
  const roomId = await dana.createRoom({ name: "releases", members: [sender] });
  const other = await dana.createRoom({ name: "elsewhere" });
  await openSettings(dana, "notifications");
  await page.getByText("Show on the desktop").click();
  await page.keyboard.press("Escape");
  await dana.open(other);
  await sender.sendText(roomId, "Build 42 is out");
  await until("a notification", shown, ([first]) => first?.body === "Build 42 is out");
  assert.equal((await shown())[0].title, "emil in releases");
  await page.evaluate(() => window.notifications[0].onclick());
  await dana.message("Build 42 is out").waitFor();
  assert.match(decodeURIComponent(page.url()), new RegExp(`/room/${roomId.replace(/[!]/, "\\!")}`));
  // In the open room nothing appears.
  await sender.sendText(roomId, "You are reading this");
  await dana.message("You are reading this").waitFor();
  await dana.open(other);
  const eventId = await sender.sendText(roomId, "And one more");
  await until("the next one", shown, (all) => all.at(-1)?.body === "And one more");
  assert.ok(!(await shown()).some(({ body }) => body === "You are reading this"));
  // Read on another device.
  const path = ["rooms", roomId, "receipt", "m.read", eventId].map(encodeURIComponent).join("/");
  await dana.call("POST", path, {});
  await until("it closes", shown, (all) => all.at(-1)?.isClosed === true);
  assert.deepEqual(dana.complaints, []);
});

test("one's own data is downloaded: the account, a channel with its messages, everything", async () => {
  const fred = await world.person("fred");
  const { page } = fred;
  const roomId = await fred.createRoom({ name: "plans" });
  for (const number of [1, 2, 3]) await fred.sendText(roomId, `Plan <${number}>`);
  await openSettings(fred, "export");
  const save = async (group) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("region", { name: group }).getByRole("button", { name: "Download" }).click(),
    ]);
    return { name: download.suggestedFilename(), data: await readFile(await download.path()) };
  };
  const account = JSON.parse((await save("My account")).data);
  assert.equal(account.user_id, fred.userId);
  assert.ok(account.rooms.some(({ name }) => name === "plans"));
  const room = await save("Messages of a channel");
  assert.match(room.name, /^plans .*\.json$/);
  const { messages } = JSON.parse(room.data);
  assert.deepEqual(
    messages.map(({ content }) => content.body),
    ["Plan <1>", "Plan <2>", "Plan <3>"],
  );
  await page.getByRole("radio", { name: /HTML/ }).check({ force: true });
  assert.match(String((await save("Messages of a channel")).data), /Plan &lt;3&gt;/);
  const archive = await save("Everything");
  assert.match(archive.name, /\.zip$/);
  assert.equal(archive.data.subarray(0, 2).toString(), "PK");
  assert.deepEqual(fred.complaints, []);
});

test("who keeps receipts private tells only the server what was read", async () => {
  const gina = await world.person("gina");
  const writer = await world.visitor(await world.account("hugo"));
  const roomId = await gina.createRoom({ name: "quiet", members: [writer] });
  const kinds = [];
  gina.page.on("request", (request) => {
    const kind = /\/receipt\/([^/]+)\//.exec(new URL(request.url()).pathname)?.[1];
    if (kind) kinds.push(kind);
  });
  await openSettings(gina, "privacy");
  await gina.page.getByText("Show others how far I have read").click();
  await gina.page.keyboard.press("Escape");
  await writer.sendText(roomId, "Have you seen this?");
  await gina.open(roomId);
  await gina.message("Have you seen this?").waitFor();
  await until(
    "it is told as read",
    () => kinds,
    (seen) => seen.length > 0,
  );
  assert.deepEqual([...new Set(kinds)], ["m.read.private"]);
});

test("messages reach a browser whose tab is closed: the server has the subscription, the worker shows what comes", async (t) => {
  const iris = await world.visitor(await world.account("iris"));
  const { context } = iris;
  // The browser's own push service is not there: what it would give, with real keys.
  await context.addInitScript(() => {
    const url = "https://push.invalid/iris";
    let subscription = null;
    PushManager.prototype.getSubscription = async () => subscription;
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
        "deriveBits",
      ]);
      const keys = {
        p256dh: await crypto.subtle.exportKey("raw", publicKey),
        auth: crypto.getRandomValues(new Uint8Array(16)).buffer,
      };
      const unsubscribe = async () => {
        subscription = null;
        return true;
      };
      subscription = { endpoint: url, applicationServerKey, getKey: (name) => keys[name], unsubscribe };
      return subscription;
    };
  });
  await context.grantPermissions(["notifications"], { origin: world.origin });
  await iris.signIn();
  const { capabilities } = await iris.call("GET", "capabilities");
  const isOffered = capabilities["m.webpush"]?.enabled === true;
  const pushers = async () => (await iris.call("GET", "pushers")).pushers;
  await openSettings(iris, "notifications");
  const toggle = iris.page.getByRole("switch", { name: /Also when the browser tab is closed/ });
  if (isOffered) {
    await toggle.click({ force: true });
    await iris.page.getByText("Waiting for the first push").waitFor();
    const [pusher] = await pushers();
    assert.equal(pusher.kind, "webpush");
    assert.equal(pusher.data.url, "https://push.invalid/iris");
    await toggle.click({ force: true });
    await iris.page.getByText("By your browser's push service").waitFor();
    assert.deepEqual(await pushers(), []);
  } else {
    t.diagnostic("this server offers no Web Push");
    await iris.page.getByText("This server does not offer it.").waitFor();
    assert.ok(await toggle.isDisabled());
  }
  assert.deepEqual(iris.complaints, []);

  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  const devtools = await context.newCDPSession(await context.newPage());
  const registered = new Promise((resolve) => {
    devtools.on(
      "ServiceWorker.workerRegistrationUpdated",
      ({ registrations: [first] }) => first && resolve(first),
    );
  });
  await devtools.send("ServiceWorker.enable");
  const { registrationId } = await registered;
  await iris.page.close();
  await until(
    "the tab is gone",
    () => worker.evaluate(async () => (await self.clients.matchAll({ type: "window" })).length),
    (open) => open === 0,
  );
  const push = {
    event_id: "$e",
    room_id: "!r:e.org",
    room_name: "general",
    sender_display_name: "Anna",
    unread: 1,
  };
  const data = JSON.stringify(push);
  await devtools.send("ServiceWorker.deliverPushMessage", { origin: world.origin, registrationId, data });
  await until(
    "the worker shows it",
    () =>
      worker.evaluate(async () => {
        const all = await self.registration.getNotifications();
        return all.map(({ title, body, data }) => ({ title, body, data }));
      }),
    ([first]) =>
      first?.title === "New message in general" && first.body === "Anna" && first.data.eventId === "$e",
  );
});

test("a click on a notification that the worker has shown leads to its message", async () => {
  const jana = await world.visitor(await world.account("jana"));
  await jana.context.grantPermissions(["notifications"], { origin: world.origin });
  await jana.signIn();
  const roomId = await jana.createRoom({ name: "harbour" });
  const eventId = await jana.sendText(roomId, "The ship is in");
  const { context, page } = jana;
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await worker.evaluate(
    async (data) => {
      await self.registration.showNotification("New message", { data });
      const [notification] = await self.registration.getNotifications();
      // Only a real click may bring the window forward, or have the worker wait for it.
      self.onerror = () => true;
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    },
    { roomId, eventId },
  );
  await jana.message("The ship is in").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("event"), eventId);
  assert.deepEqual(await worker.evaluate(() => self.registration.getNotifications()), []);
  assert.deepEqual(jana.complaints, []);
});

test("a page whose files do not come says so, and comes when they do", async () => {
  const olga = await world.visitor(await world.account("olga"), { serviceWorkers: "block" });
  await olga.signIn();
  const { page } = olga;
  const files = "**/assets/access-tokens-*.js";
  await page.route(files, (route) => route.abort());
  await openSettings(olga, "tokens");
  const sentence = page.getByRole("alert").filter({ hasText: "could not be loaded" });
  await sentence.waitFor();
  await assertAccessible(page, "a page that could not be loaded");
  await page.unroute(files);
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByRole("button", { name: "New token", exact: true }).waitFor();
  await sentence.waitFor({ state: "detached" });
});
