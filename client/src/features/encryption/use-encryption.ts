import { useSession, useSlice } from "~/hooks/session";
import type { EncryptionState, RoomTrust } from "~/matrix/encryption/encryption";
import type { Identity } from "~/matrix/encryption/identities";
import type { RoomId, UserId } from "~/matrix/ids";

/** How this account's encryption stands on this device. */
export function useEncryption(): EncryptionState {
  return useSlice(useSession().encryption.state, "own");
}

/** Whether a room is encrypted, and whose keys in it are others than before. */
export function useRoomTrust(roomId: RoomId): RoomTrust {
  return useSlice(useSession().encryption.trust, roomId);
}

/** Whether somebody is who they seem to be, as far as this device knows. */
export function useIdentity(userId: UserId): Identity {
  return useSlice(useSession().identities.of, userId).identity;
}
