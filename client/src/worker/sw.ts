/// <reference lib="webworker" />
// The service worker: authenticated media, the shell while offline, and notifications.
declare const self: ServiceWorkerGlobalScope;

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

export {};
