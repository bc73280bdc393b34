import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api";

/** Why a message cannot be read here, as far as somebody can do something about it. */
export type UnreadableReason = "before-join" | "waiting-for-keys" | "this-device-unverified" | "unknown";

/** The reason behind the SDK's code; a device that is not verified has no keys of what was said before it came. */
export function reasonFor(code: DecryptionFailureCode | null, isVerified: boolean): UnreadableReason {
  switch (code) {
    case DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED:
      return "before-join";
    case DecryptionFailureCode.HISTORICAL_MESSAGE_NO_KEY_BACKUP:
    case DecryptionFailureCode.HISTORICAL_MESSAGE_BACKUP_UNCONFIGURED:
      return isVerified ? "unknown" : "this-device-unverified";
    case DecryptionFailureCode.MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE:
      return "this-device-unverified";
    case DecryptionFailureCode.HISTORICAL_MESSAGE_WORKING_BACKUP:
    case DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID:
    case DecryptionFailureCode.OLM_UNKNOWN_MESSAGE_INDEX:
      return "waiting-for-keys";
    default:
      return "unknown";
  }
}
