import { CryptoEvent, type UserVerificationStatus } from "matrix-js-sdk/lib/crypto-api";
import type { SessionContext } from "../context";
import { asUserId, type UserId } from "../ids";
import { DerivedSlice } from "../slice";

/**
 * How somebody's keys are known here. `confirmed`: compared, by this account; `changed`: others than the ones that were
 * known before; `unconfirmed`: taken on trust; `unknown`: they have none, or nobody asked yet.
 */
export type Identity = "unknown" | "unconfirmed" | "confirmed" | "changed";

/** Keys are asked for after the next sync; a server of another company may take a moment. */
const ARRIVE_WITHIN_MS = 15_000;
const LOOK_AGAIN_MS = 300;

/** Whether people are who they seem to be: what comparing emoji with them has shown (CS API § Cross-signing). */
export class Identities {
  /** What this device knows, of people with whom it shares an encrypted room. */
  readonly of: DerivedSlice<{ identity: Identity }, UserId>;
  private readonly known = new Map<UserId, Identity>();

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.of = new DerivedSlice(changes, (userId) => ({ identity: this.identityOf(userId) }));
    const onTrust = (userId: string) => {
      if (this.known.has(asUserId(userId))) void this.look(asUserId(userId));
    };
    const onDevices = (userIds: readonly string[]) => {
      for (const userId of userIds) onTrust(userId);
    };
    // Own keys sign those of others: with new ones, or with the first, everybody looks different.
    const onKeys = () => {
      for (const userId of this.known.keys()) void this.look(userId);
    };
    client.on(CryptoEvent.UserTrustStatusChanged, onTrust);
    client.on(CryptoEvent.DevicesUpdated, onDevices);
    client.on(CryptoEvent.KeysChanged, onKeys);
    onClose(() => {
      client.off(CryptoEvent.UserTrustStatusChanged, onTrust);
      client.off(CryptoEvent.DevicesUpdated, onDevices);
      client.off(CryptoEvent.KeysChanged, onKeys);
    });
  }

  /** Asks the server whether somebody has keys that can be compared; this device learns them in the first encrypted room. */
  async hasKeys(userId: UserId): Promise<boolean> {
    return (await this.context.client.getCrypto()?.userHasCrossSigningKeys(userId, true)) ?? false;
  }

  /** Waits for the keys of somebody with whom an encrypted room has just begun; gives whether they came. */
  async arrive(userId: UserId): Promise<boolean> {
    const deadline = Date.now() + ARRIVE_WITHIN_MS;
    await this.look(userId);
    while (this.known.get(userId) === "unknown" && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      await this.look(userId);
    }
    return this.known.get(userId) !== "unknown";
  }

  private identityOf(userId: UserId): Identity {
    const known = this.known.get(userId);
    // Whether this device may speak for its own account is another question, which `Encryption` answers.
    if (known !== undefined || userId === this.context.client.getSafeUserId()) return known ?? "unknown";
    this.known.set(userId, "unknown");
    void this.look(userId);
    return "unknown";
  }

  private async look(userId: UserId): Promise<void> {
    const status = await this.context.client.getCrypto()?.getUserVerificationStatus(userId);
    this.known.set(userId, status ? identityFrom(status) : "unknown");
    this.of.invalidate(userId);
  }
}

function identityFrom(status: UserVerificationStatus): Identity {
  if (!status.known) return "unknown";
  if (status.isVerified()) return "confirmed";
  if (status.needsUserApproval || status.wasCrossSigningVerified()) return "changed";
  return "unconfirmed";
}
