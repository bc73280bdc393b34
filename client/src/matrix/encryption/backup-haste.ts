import { EventStatus, type MatrixEvent, RoomEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";

/**
 * The SDK brings a new key to the backup up to this much later, so that the devices of all members do not come at once. It reads
 * the bound whenever it sets out.
 */
const SPREAD_MS = 10_000;
/** The device that made the key is only one, and until it has been there nobody else has the key for sure. */
const OWN_SPREAD_MS = 200;
/** Between the beginning of the encryption of a message and the SDK's setting out with a key made for it. */
const MAKING_MS = 3_000;

/**
 * Has keys that this device makes brought to the backup at once, so that they are there for the account's next device, and not lost
 * with a tab that is closed soon.
 */
export async function hastenOwnKeys({ client, onClose }: SessionContext): Promise<void> {
  // Loaded with the keys themselves; not needed before.
  const { RustBackupManager } = await import("matrix-js-sdk/lib/rust-crypto/backup");
  let madeUntil = 0;
  Object.defineProperty(RustBackupManager, "maxBackupLoopStartDelayMillis", {
    get: () => (performance.now() < madeUntil ? OWN_SPREAD_MS : SPREAD_MS),
    configurable: true,
  });
  const onEcho = (event: MatrixEvent) => {
    if (event.status === EventStatus.ENCRYPTING) madeUntil = performance.now() + MAKING_MS;
  };
  client.on(RoomEvent.LocalEchoUpdated, onEcho);
  onClose(() => client.off(RoomEvent.LocalEchoUpdated, onEcho));
}
