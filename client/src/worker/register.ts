const KEPT = /^\/(assets\/|config\.json$)/;

/** A tab that stays open for days learns of new versions when it is looked at, not more often than this. */
const ASK_EVERY_MS = 30 * 60_000;

/** Who answers the worker's question for a token; `undefined` while nobody is logged in. */
type TokenSource = (url: string) => Promise<string | undefined>;

let source: TokenSource = () => Promise.resolve(undefined);
let activate: (token: string) => void = () => {};
let open: (path: string) => void = (path) => window.location.assign(path);
const listeners = new Set<() => void>();
let waiting: ServiceWorker | undefined;

/** The worker asks this page for tokens, only for addresses that the session's server answers. */
export function giveTokens(give: TokenSource): void {
  source = give;
}

/** What is done with the server's question whether its pushes come through. */
export function onPushTried(answer: (token: string) => void): void {
  activate = answer;
}

/** How a click on a notification goes to its address while the page is open. */
export function onOpen(go: (path: string) => void): void {
  open = go;
}

/** True once a newer version of the client lies ready; `reload` starts it. */
export const update = {
  isReady: () => waiting !== undefined,
  watch(onChange: () => void): () => void {
    listeners.add(onChange);
    return () => listeners.delete(onChange);
  },
  /** Starts the new version. The caller makes sure that nothing unsent and no call is lost. */
  reload(): void {
    navigator.serviceWorker.addEventListener("controllerchange", () => window.location.reload(), {
      once: true,
    });
    waiting?.postMessage({ type: "activate" });
  },
};

/** Starts the service worker. Without one (a private window, an old browser) files are fetched by the page itself. */
export function registerWorker(): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker || !import.meta.env.PROD) return;
  serviceWorker.addEventListener("message", ({ data, ports }: MessageEvent<unknown>) => {
    const message = (data ?? {}) as Record<string, unknown>;
    if (message.type === "token" && typeof message.url === "string") {
      const [port] = ports;
      source(message.url).then(
        (token) => port?.postMessage(token),
        () => port?.postMessage(undefined),
      );
    } else if (message.type === "open" && typeof message.path === "string") open(message.path);
    else if (message.type === "activate-push" && typeof message.token === "string") activate(message.token);
  });
  serviceWorker.addEventListener("controllerchange", keepLoaded);
  serviceWorker.register("/sw.js", { updateViaCache: "none" }).then(watchForUpdates, () => {});
}

function watchForUpdates(registration: ServiceWorkerRegistration): void {
  let askedTs = Date.now();
  const ask = () => {
    if (document.visibilityState !== "visible" || Date.now() - askedTs < ASK_EVERY_MS) return;
    askedTs = Date.now();
    // Offline: the next look at this window asks again.
    registration.update().catch(() => {});
  };
  document.addEventListener("visibilitychange", ask);
  window.addEventListener("online", ask);
  const note = (worker: ServiceWorker | null) => {
    // The first worker of a page is no update of anything.
    if (!worker || !navigator.serviceWorker.controller) return;
    waiting = worker;
    for (const listener of listeners) listener();
  };
  note(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") note(registration.waiting);
    });
  });
}

/** What this page fetched before the worker was there, so that the next start can be offline already. */
function keepLoaded(): void {
  const urls = performance
    .getEntriesByType("resource")
    .map(({ name }) => name)
    .filter((name) => name.startsWith(`${window.location.origin}/`) && KEPT.test(new URL(name).pathname));
  navigator.serviceWorker.controller?.postMessage({ type: "keep", urls });
}
