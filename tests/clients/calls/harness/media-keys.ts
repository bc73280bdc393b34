// The keys of an encrypted call, from MatrixRTC to LiveKit's frame cryptors.

import { BaseKeyProvider } from "livekit-client";
import { type MatrixRTCSession, MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc";

/** Gives every key that the session makes or receives to the LiveKit rooms that use this provider. */
export class MediaKeys extends BaseKeyProvider {
    constructor(session: MatrixRTCSession) {
        super({ ratchetWindowSize: 10, keyringSize: 256 });
        session.on(MatrixRTCSessionEvent.EncryptionKeyChanged, async (key, index, _membership, identity) => {
            const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits", "deriveKey"]);
            this.onSetEncryptionKey(material, identity, index);
        });
        session.reemitEncryptionKeys();
    }
}
