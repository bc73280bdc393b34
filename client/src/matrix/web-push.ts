import { Method } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { DerivedSlice } from "./slice";

/** Names this client among an account's pushers. */
const APP_ID = "dev.echorift.web";

const Offer = v.object({ enabled: v.boolean(), vapid: v.string() });
const Capabilities = v.object({
  "m.webpush": v.optional(Offer),
  "org.matrix.msc4174.webpush": v.optional(Offer),
});
const Pushers = v.object({
  pushers: v.array(
    v.object({ app_id: v.string(), pushkey: v.string(), activated: v.optional(v.boolean(), true) }),
  ),
});

/** Whether messages reach this browser when no tab is open. */
type WebPushState =
  /** Not known yet. */
  | "asking"
  /** The browser has no push, or none in this window; the server offers none. */
  | "noBrowser"
  | "noServer"
  | "off"
  /** The server has the subscription, and waits until its first push has come through. */
  | "waiting"
  | "on";

/** Pushes by the browser's own service, without a gateway (MSC4174). */
export class WebPush {
  /** One key, `"here"`: this browser's state as `refresh` last found it. */
  readonly state: DerivedSlice<{ state: WebPushState }>;
  private current: WebPushState = "asking";

  constructor(private readonly context: SessionContext) {
    this.state = new DerivedSlice(context.changes, () => ({ state: this.current }));
  }

  /** Asks browser and server how things stand. */
  async refresh(): Promise<void> {
    this.show(await this.find());
  }

  /**
   * Subscribes at the browser's push service and tells the server. The caller has asked for the permission to notify; fails if the
   * service cannot be reached or the server refuses. `showsText`: otherwise pushes name no more than the event.
   */
  async turnOn({ showsText, deviceName }: { showsText: boolean; deviceName: string }): Promise<void> {
    const manager = await pushManager();
    const key = await this.serverKey();
    if (!manager || !key) return this.refresh();
    // One made for another key of the server would be refused.
    await (await manager.getSubscription())?.unsubscribe();
    const subscription = await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const pushkey = keyOf(subscription, "p256dh");
    try {
      await this.context.client.http.authedRequest(Method.Post, "/pushers/set", undefined, {
        kind: "webpush",
        app_id: APP_ID,
        pushkey,
        app_display_name: "EchoRift",
        device_display_name: deviceName,
        lang: document.documentElement.lang,
        append: true,
        data: {
          url: subscription.endpoint,
          auth: keyOf(subscription, "auth"),
          // A browser has to show something for each push, and there is nothing to show for a count.
          events_only: true,
          ...(showsText ? {} : { format: "event_id_only" }),
        },
      });
    } catch (error) {
      await subscription.unsubscribe();
      throw error;
    }
    await this.refresh();
  }

  async turnOff(): Promise<void> {
    const subscription = await (await pushManager())?.getSubscription();
    if (subscription) {
      await this.context.client.http.authedRequest(Method.Post, "/pushers/set", undefined, {
        kind: null,
        app_id: APP_ID,
        pushkey: keyOf(subscription, "p256dh"),
      });
      await subscription.unsubscribe();
    }
    await this.refresh();
  }

  /** Proves to the server that its first push came through: from now on it sends what there is to tell. */
  async activate(token: string): Promise<void> {
    const body = { app_id: APP_ID, ack_token: token };
    await this.context.client.http.authedRequest(Method.Post, "/pushers/ack", undefined, body);
    await this.refresh();
  }

  /** The session is over, and its pusher with it: the browser's part goes as well. */
  async forget(): Promise<void> {
    await (await (await pushManager())?.getSubscription())?.unsubscribe();
  }

  private async find(): Promise<WebPushState> {
    const manager = await pushManager();
    if (!manager) return "noBrowser";
    if (!(await this.serverKey())) return "noServer";
    const subscription = await manager.getSubscription();
    if (!subscription) return "off";
    const { pushers } = v.parse(
      Pushers,
      await this.context.client.http.authedRequest(Method.Get, "/pushers"),
    );
    const pushkey = keyOf(subscription, "p256dh");
    const own = pushers.find((pusher) => pusher.app_id === APP_ID && pusher.pushkey === pushkey);
    return !own ? "off" : own.activated ? "on" : "waiting";
  }

  private async serverKey(): Promise<string | undefined> {
    const capabilities = v.parse(Capabilities, await this.context.client.getCapabilities());
    const offer = capabilities["m.webpush"] ?? capabilities["org.matrix.msc4174.webpush"];
    return offer?.enabled ? offer.vapid : undefined;
  }

  private show(state: WebPushState): void {
    this.current = state;
    this.state.invalidate("here");
  }
}

/** `undefined` where there is no push: in private windows, without a service worker, in browsers that lack it. */
async function pushManager(): Promise<PushManager | undefined> {
  const registration = await navigator.serviceWorker?.getRegistration();
  return registration && "pushManager" in registration ? registration.pushManager : undefined;
}

function keyOf(subscription: PushSubscription, name: PushEncryptionKeyName): string {
  const bytes = new Uint8Array(subscription.getKey(name) ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
