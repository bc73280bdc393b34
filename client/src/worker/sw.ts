/// <reference lib="webworker" />
// The service worker: authenticated media, the shell while offline, and notifications.
import { isMedia, mediaHeaders } from "./media";
import { activationOf, notificationOf, openedBy } from "./push";

declare const self: ServiceWorkerGlobalScope;

/** Set by the build: a new version of the client is a new worker, though its code is the same. */
const BUILD = "__CLIENT_BUILD__";
/** What the client needs to start without the network. One cache: names with a hash in them never change what they mean. */
const SHELL = "echorift-shell-1";
/** A page that is busy answers late; one that is gone never does. */
const TOKEN_WAIT_MS = 5_000;
/** Old assets go when there are more than these: two versions of the client. */
const ASSETS_MAX = 400;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((shell) => shell.add("/")));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("echorift-") && name !== SHELL) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  const message = (event.data ?? {}) as { type?: unknown; urls?: unknown };
  // The page says when: never under somebody's hands.
  if (message.type === "activate") void self.skipWaiting();
  if (message.type === "build") event.ports[0]?.postMessage(BUILD);
  if (message.type === "keep" && Array.isArray(message.urls)) event.waitUntil(keep(message.urls));
});

/** Keeps what a page loaded before there was a worker. */
async function keep(urls: readonly unknown[]): Promise<void> {
  const shell = await caches.open(SHELL);
  for (const url of urls.slice(0, ASSETS_MAX)) {
    if (typeof url === "string" && !(await shell.match(url))) await shell.add(url).catch(() => {});
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (isMedia(url)) {
    if (!request.headers.has("Authorization")) event.respondWith(media(request, event.clientId));
    return;
  }
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (isOurs(url)) event.respondWith(page(request));
  } else if (url.pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (url.pathname === "/config.json" || url.pathname.startsWith("/emoji/"))
    event.respondWith(newest(request));
});

/** Addresses that are screens of the client, not of the server. */
const isOurs = ({ pathname }: URL) =>
  !/^\/(_|\.well-known|oauth2|account|livekit|health|metrics)/.test(pathname);

/** A file with the token of the page that asks for it; the worker keeps none. */
async function media(request: Request, clientId: string): Promise<Response> {
  const token = await tokenOf(clientId, request.url);
  if (token === undefined) return fetch(request);
  return fetch(request.url, {
    headers: mediaHeaders(request.headers, token),
    signal: request.signal,
    cache: request.cache,
  });
}

async function tokenOf(clientId: string, url: string): Promise<string | undefined> {
  const client = await self.clients.get(clientId);
  if (!client) return undefined;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => resolve(undefined), TOKEN_WAIT_MS);
    port1.onmessage = ({ data }: MessageEvent<unknown>) => {
      clearTimeout(timer);
      port1.close();
      resolve(typeof data === "string" ? data : undefined);
    };
    client.postMessage({ type: "token", url }, [port2]);
  });
}

/** The page that starts the client: the server's if it answers, else the one kept from before. */
async function page(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL);
  try {
    const response = await fetch(request);
    if (response.ok && response.headers.get("Content-Type")?.startsWith("text/html"))
      await shell.put("/", response.clone());
    // A proxy that stands for a server that is away.
    if (response.status < 500) return response;
    return (await shell.match("/")) ?? response;
  } catch (error) {
    const kept = await shell.match("/");
    if (kept) return kept;
    throw error;
  }
}

/** What has a hash in its name is asked for once. */
async function asset(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL);
  const kept = await shell.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) {
    await shell.put(request, response.clone());
    const all = (await shell.keys()).filter(({ url }) => url.includes("/assets/"));
    for (const old of all.slice(0, Math.max(0, all.length - ASSETS_MAX))) await shell.delete(old);
  }
  return response;
}

/** The server's word if it answers, else its last one. */
async function newest(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL);
  try {
    const response = await fetch(request);
    if (response.ok) await shell.put(request, response.clone());
    if (response.status < 500) return response;
    return (await shell.match(request)) ?? response;
  } catch (error) {
    const kept = await shell.match(request);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("push", (event) => {
  event.waitUntil(
    (async () => {
      const body = event.data?.text() ?? "";
      const pages = await self.clients.matchAll({ type: "window" });
      const token = activationOf(body);
      if (token !== undefined) {
        for (const page of pages) page.postMessage({ type: "activate-push", token });
        return;
      }
      // A page that is open shows by itself what comes: it knows what is looked at, and the quiet hours.
      if (pages.length > 0) return;
      const notification = notificationOf(body);
      if (notification) {
        await self.registration.showNotification(notification.title, notification.options);
        return;
      }
      // Everything is read elsewhere: what is shown goes.
      for (const shown of await self.registration.getNotifications()) shown.close();
    })(),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = openedBy(event.notification.data);
  event.waitUntil(
    (async () => {
      const [client] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      if (!client) {
        await self.clients.openWindow(path);
        return;
      }
      // First, because a browser may refuse to bring the window forward.
      client.postMessage({ type: "open", path });
      await client.focus();
    })(),
  );
});
