import { EventEmitter } from "node:events";
import { EventStatus, RoomEvent } from "matrix-js-sdk/lib/matrix";
import { RustBackupManager } from "matrix-js-sdk/lib/rust-crypto/backup";
import { expect, test } from "vitest";
import type { SessionContext } from "../context";
import { hastenOwnKeys } from "./backup-haste";

const spreadMs = () => RustBackupManager.maxBackupLoopStartDelayMillis;

test("keys of one's own messages go to the backup at once, those of others when the SDK has them go", async () => {
  const usualMs = spreadMs();
  expect(usualMs).toBe(10_000);
  const client = new EventEmitter();
  const tearDowns: (() => void)[] = [];
  const context = { client, onClose: (tearDown: () => void) => tearDowns.push(tearDown) };
  await hastenOwnKeys(context as unknown as SessionContext);
  expect(spreadMs()).toBe(usualMs);
  client.emit(RoomEvent.LocalEchoUpdated, { status: EventStatus.SENT });
  expect(spreadMs()).toBe(usualMs);
  client.emit(RoomEvent.LocalEchoUpdated, { status: EventStatus.ENCRYPTING });
  expect(spreadMs()).toBeLessThan(1_000);
  for (const tearDown of tearDowns) tearDown();
  expect(client.listenerCount(RoomEvent.LocalEchoUpdated)).toBe(0);
});
