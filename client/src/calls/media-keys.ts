import { BaseKeyProvider } from "livekit-client";
import { type MatrixRTCSession, MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc";

/** Gives every key that the session makes or receives to the LiveKit rooms that use this provider. */
export class MediaKeys extends BaseKeyProvider {
  constructor(private readonly session: MatrixRTCSession) {
    super({ ratchetWindowSize: 10, keyringSize: 256 });
    session.on(MatrixRTCSessionEvent.EncryptionKeyChanged, this.onKey);
    session.reemitEncryptionKeys();
  }

  close(): void {
    this.session.off(MatrixRTCSessionEvent.EncryptionKeyChanged, this.onKey);
  }

  private readonly onKey = async (
    key: Uint8Array<ArrayBuffer>,
    index: number,
    _membership: unknown,
    identity: string,
  ) => {
    const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits", "deriveKey"]);
    this.onSetEncryptionKey(material, identity, index);
  };
}
