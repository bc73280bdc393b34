import { CryptoEvent } from "matrix-js-sdk/lib/crypto-api";
import type { Confirmations } from "./confirmations";
import type { SessionContext } from "./context";
import { asDeviceId, type DeviceId } from "./ids";
import { DerivedSlice } from "./slice";
import type { Tokens } from "./tokens";

/** A place where this account is signed in. */
export interface OwnDevice {
  readonly id: DeviceId;
  readonly name: string;
  /** ms since the epoch; 0 if the server does not know. */
  readonly lastSeenTs: number;
  readonly lastSeenIp: string | undefined;
  readonly isThis: boolean;
  /** Signed by the account's own keys; `undefined` for one that cannot encrypt. */
  readonly isVerified: boolean | undefined;
}

/** The account's own sessions (CS API § Device management). */
export class Devices {
  /** One key, `"own"`: this one first, then the ones used last; `undefined` until `refresh` has settled once. */
  readonly list: DerivedSlice<{ devices: readonly OwnDevice[] | undefined }>;
  private devices: readonly OwnDevice[] | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly confirmations: Confirmations,
    private readonly tokens: Tokens,
  ) {
    const { client, changes, onClose } = context;
    this.list = new DerivedSlice(changes, () => ({ devices: this.devices }));
    const onDevices = (userIds: readonly string[]) => {
      if (this.devices && userIds.includes(client.getSafeUserId())) void this.refresh().catch(() => {});
    };
    const onTrust = (userId: string) => onDevices([userId]);
    client.on(CryptoEvent.DevicesUpdated, onDevices);
    client.on(CryptoEvent.UserTrustStatusChanged, onTrust);
    onClose(() => {
      client.off(CryptoEvent.DevicesUpdated, onDevices);
      client.off(CryptoEvent.UserTrustStatusChanged, onTrust);
    });
  }

  async refresh(): Promise<void> {
    const { client } = this.context;
    const crypto = client.getCrypto();
    const userId = client.getSafeUserId();
    const { devices } = await client.getDevices();
    const described = devices.map(async (device): Promise<OwnDevice> => {
      const status = await crypto?.getDeviceVerificationStatus(userId, device.device_id);
      return {
        id: asDeviceId(device.device_id),
        name: device.display_name ?? "",
        lastSeenTs: device.last_seen_ts ?? 0,
        lastSeenIp: device.last_seen_ip,
        isThis: device.device_id === client.getDeviceId(),
        isVerified: status ? status.crossSigningVerified : undefined,
      };
    });
    this.devices = (await Promise.all(described)).sort(
      (a, b) => Number(b.isThis) - Number(a.isThis) || b.lastSeenTs - a.lastSeenTs,
    );
    this.list.invalidate("own");
  }

  async rename(id: DeviceId, name: string): Promise<void> {
    await this.context.client.setDeviceDetails(id, { display_name: name });
    await this.refresh();
  }

  /** Ends other sessions; the server asks who does it. */
  async signOut(ids: readonly DeviceId[]): Promise<void> {
    if (ids.length === 0) return;
    const { client } = this.context;
    await this.confirmations.run((auth) => client.deleteMultipleDevices([...ids], auth ?? undefined));
    await this.refresh();
  }

  /** The server's page that ends a session, where this one may not do it itself (docs/oauth.md); of all, without an ID. */
  pageFor(id?: DeviceId): string | undefined {
    const { oauth } = this.tokens.current;
    if (!oauth?.accountUri) return undefined;
    const url = new URL(oauth.accountUri);
    url.searchParams.set("action", id ? "org.matrix.device_delete" : "org.matrix.devices_list");
    if (id) url.searchParams.set("device_id", id);
    return url.href;
  }
}
