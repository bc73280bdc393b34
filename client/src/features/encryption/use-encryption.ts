import { useSession, useSlice } from "~/hooks/session";
import type { EncryptionState, RoomTrust } from "~/matrix/encryption/encryption";
import type { RoomId } from "~/matrix/ids";

/** How this account's encryption stands on this device. */
export function useEncryption(): EncryptionState {
  return useSlice(useSession().encryption.state, "own");
}

/** Whether a room is encrypted, and whose keys in it are others than before. */
export function useRoomTrust(roomId: RoomId): RoomTrust {
  return useSlice(useSession().encryption.trust, roomId);
}
