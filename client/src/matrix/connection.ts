import { ClientEvent, SyncState } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { DerivedSlice } from "./slice";

type ConnectionState = "starting" | "online" | "offline";

/** Whether the server is reached: one key, `"server"`. */
export class Connection {
  readonly state: DerivedSlice<{ state: ConnectionState }>;
  private current: ConnectionState = "starting";

  constructor({ client, changes, onClose }: SessionContext) {
    this.state = new DerivedSlice(changes, () => ({ state: this.current }));
    const onSync = (state: SyncState) => {
      if (state === SyncState.Prepared || state === SyncState.Syncing || state === SyncState.Catchup) {
        this.set("online");
      } else if (state === SyncState.Reconnecting || state === SyncState.Error) this.set("offline");
    };
    const onOffline = () => this.set("offline");
    const onOnline = () => client.retryImmediately();
    client.on(ClientEvent.Sync, onSync);
    window.addEventListener("offline", onOffline);
    window.addEventListener("online", onOnline);
    onClose(() => {
      client.off(ClientEvent.Sync, onSync);
      window.removeEventListener("offline", onOffline);
      window.removeEventListener("online", onOnline);
    });
    this.retryNow = () => client.retryImmediately();
  }

  /** Asks the server again at once instead of when the pause is over. */
  readonly retryNow: () => void;

  private set(state: ConnectionState): void {
    this.current = state;
    this.state.invalidate("server");
  }
}
