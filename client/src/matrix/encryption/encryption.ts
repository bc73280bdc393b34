import {
  type CryptoApi,
  CryptoEvent,
  decodeRecoveryKey,
  deriveRecoveryKeyFromPassphrase,
} from "matrix-js-sdk/lib/crypto-api";
import { ClientEvent, type MatrixEvent, RoomMemberEvent, RoomStateEvent } from "matrix-js-sdk/lib/matrix";
import type { Confirmations } from "../confirmations";
import type { SessionContext } from "../context";
import { asUserId, type RoomId, type UserId } from "../ids";
import { DerivedSlice } from "../slice";
import { deleteValue, readValue, writeValue } from "../storage";
import { hastenOwnKeys } from "./backup-haste";
import { openKeys, sealKeys } from "./key-file";
import type { SecretKeys } from "./secret-keys";

/** In larger rooms nobody compares everybody's keys. */
const COMPARED_MEMBERS_MAX = 200;

export interface EncryptionState {
  /** `ready`: this device reads and signs for the account; `unverified`: the account has keys that this device lacks. */
  readonly stage: "checking" | "settingUp" | "ready" | "unverified" | "failed";
  readonly hasRecoveryKey: boolean;
  /** Keys of messages are kept at the server, encrypted, for the account's next device. */
  readonly isBackedUp: boolean;
  /** A recovery key that was made here and that its owner has not put away yet. */
  readonly unsavedKey: string | undefined;
}

/** What can be said of the encryption of a room. */
export interface RoomTrust {
  readonly isEncrypted: boolean;
  /** People whose keys are others than before: they reset them, or somebody stands between. */
  readonly changed: readonly UserId[];
}

/** `malformed`: no recovery key has this shape; `wrong`: not this account's; `missing`: the account has none. */
class RecoveryError extends Error {
  constructor(readonly kind: "malformed" | "wrong" | "missing") {
    super(`the recovery key: ${kind}`);
  }
}

const UNSAVED_KEY = "recoveryKey";
const UNFINISHED = "encryptionSetup";

/** The account's keys: made at its first sign-in, given to its later devices, kept at the server in a form it cannot read. */
export class Encryption {
  /** One key, `"own"`. */
  readonly state: DerivedSlice<EncryptionState>;
  readonly trust: DerivedSlice<RoomTrust, RoomId>;
  private own: EncryptionState = {
    stage: "checking",
    hasRecoveryKey: false,
    isBackedUp: false,
    unsavedKey: undefined,
  };
  private readonly changed = new Map<RoomId, readonly UserId[]>();
  private checking: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly secrets: SecretKeys,
    private readonly confirmations: Confirmations,
  ) {
    const { changes } = context;
    this.state = new DerivedSlice(changes, () => this.own);
    this.trust = new DerivedSlice(
      changes,
      (roomId) => this.trustOf(roomId),
      (a, b) => a.isEncrypted === b.isEncrypted && a.changed.join() === b.changed.join(),
    );
  }

  /** Looks how things stand, and makes the keys of an account that has none. Called once the first sync is there. */
  start(): void {
    const { client, onClose } = this.context;
    const look = () => void this.check();
    const onTrust = (userId: string) => {
      if (userId === client.getSafeUserId()) look();
      for (const roomId of this.changed.keys()) void this.compare(roomId);
    };
    const onDevices = (userIds: readonly string[]) => {
      if (userIds.includes(client.getSafeUserId())) look();
    };
    const onMember = (event: MatrixEvent) => {
      const roomId = event.getRoomId() as RoomId;
      if (this.changed.has(roomId)) void this.compare(roomId);
    };
    const onState = (event: MatrixEvent) => {
      if (event.getType() === "m.room.encryption") this.trust.invalidate(event.getRoomId() as RoomId);
    };
    // What was stored may be older than the recovery key, and another device may make a new one.
    const onAccountData = (event: MatrixEvent) => {
      if (event.getType() === "m.secret_storage.default_key") look();
    };
    // Offline, the first look fails: the next answer of the server is the time for another.
    const onSync = () => {
      if (this.own.stage === "checking") look();
    };
    client.on(CryptoEvent.KeysChanged, look);
    client.on(CryptoEvent.KeyBackupStatus, look);
    client.on(CryptoEvent.KeyBackupDecryptionKeyCached, look);
    client.on(CryptoEvent.DevicesUpdated, onDevices);
    client.on(CryptoEvent.UserTrustStatusChanged, onTrust);
    client.on(RoomMemberEvent.Membership, onMember);
    client.on(RoomStateEvent.Events, onState);
    client.on(ClientEvent.AccountData, onAccountData);
    client.on(ClientEvent.Sync, onSync);
    onClose(() => {
      client.off(CryptoEvent.KeysChanged, look);
      client.off(CryptoEvent.KeyBackupStatus, look);
      client.off(CryptoEvent.KeyBackupDecryptionKeyCached, look);
      client.off(CryptoEvent.DevicesUpdated, onDevices);
      client.off(CryptoEvent.UserTrustStatusChanged, onTrust);
      client.off(RoomMemberEvent.Membership, onMember);
      client.off(RoomStateEvent.Events, onState);
      client.off(ClientEvent.AccountData, onAccountData);
      client.off(ClientEvent.Sync, onSync);
    });
    look();
    // Without it keys come later, as the SDK has it.
    void hastenOwnKeys(this.context).catch(() => {});
  }

  /** Makes a new recovery key; the one before it is no longer good. It is shown until `keySaved`. */
  async newRecoveryKey(): Promise<void> {
    await this.makeRecoveryKey((await this.crypto.getActiveSessionBackupVersion()) === null);
    await this.check();
  }

  /** The owner has put the recovery key away: it is forgotten here. */
  async keySaved(): Promise<void> {
    await deleteValue(this.unsavedAs);
    await this.check();
  }

  /** Verifies this device by the recovery key (or the passphrase it came from) and fetches the keys of old messages. */
  async unlock(text: string): Promise<void> {
    const { client } = this.context;
    const { crypto } = this;
    const found = await client.secretStorage.getKey();
    if (!found) throw new RecoveryError("missing");
    const [id, info] = found;
    const key = await keyOf(text, info.passphrase);
    if (!(await client.secretStorage.checkKey(key, info))) throw new RecoveryError("wrong");
    await this.secrets.during({ id, key }, async () => {
      await crypto.bootstrapCrossSigning({});
      if (await crypto.getKeyBackupInfo()) await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    });
    await crypto.checkKeyBackupAndEnable();
    // The signature of this device is believed once the server tells it.
    await crypto.userHasCrossSigningKeys(client.getSafeUserId(), true);
    await this.check();
    // What is on the screen fetches its keys by itself; the rest may take its time.
    if (this.own.isBackedUp) void crypto.restoreKeyBackup().catch(() => {});
  }

  /** Gives the account new keys. Everybody sees that they changed, and what only the old ones opened is lost. */
  async reset(): Promise<void> {
    const { crypto } = this;
    await crypto.resetEncryption((request) => this.confirmations.run(request));
    await this.newRecoveryKey();
  }

  /** The keys of all messages that this device can read, as a file behind a passphrase. */
  async exportKeys(passphrase: string): Promise<string> {
    return sealKeys(await this.crypto.exportRoomKeysAsJson(), passphrase);
  }

  /** Takes the keys of such a file. Errors: `KeyFileError`. */
  async importKeys(file: string, passphrase: string): Promise<void> {
    await this.crypto.importRoomKeysAsJson(await openKeys(file, passphrase));
  }

  /** Goes on with people whose keys changed. */
  async accept(roomId: RoomId, userIds: readonly UserId[]): Promise<void> {
    for (const userId of userIds) {
      const status = await this.crypto.getUserVerificationStatus(userId);
      if (status.wasCrossSigningVerified()) await this.crypto.withdrawVerificationRequirement(userId);
      await this.crypto.pinCurrentUserIdentity(userId);
    }
    await this.compare(roomId);
  }

  private get crypto(): CryptoApi {
    const crypto = this.context.client.getCrypto();
    if (!crypto) throw new Error("this session has no keys");
    return crypto;
  }

  private get unsavedAs(): string {
    return `${UNSAVED_KEY}:${this.context.client.getSafeUserId()}`;
  }

  private get unfinishedAs(): string {
    return `${UNFINISHED}:${this.context.client.getSafeUserId()}`;
  }

  /** One look at a time; all who ask meanwhile get the next one. */
  private check(): Promise<void> {
    if (!this.checking) {
      this.checking = this.look().finally(() => {
        this.checking = undefined;
      });
      return this.checking;
    }
    this.next ??= this.checking.then(() => {
      this.next = undefined;
      return this.check();
    });
    return this.next;
  }

  private async look(): Promise<void> {
    const { client } = this.context;
    const { crypto } = this;
    const userId = client.getSafeUserId();
    try {
      const isFirst = this.own.stage !== "ready" && this.own.stage !== "unverified";
      if (isFirst && !(await crypto.userHasCrossSigningKeys(userId, true))) await this.setUp();
      const status = await crypto.getDeviceVerificationStatus(userId, client.getDeviceId() ?? "");
      const isReady = status?.crossSigningVerified === true;
      if (isFirst && isReady && (await readValue(this.unfinishedAs))) await this.setUpRecovery();
      const storage = await crypto.getSecretStorageStatus();
      const unsaved: unknown = await readValue(this.unsavedAs);
      this.show({
        stage: isReady ? "ready" : "unverified",
        hasRecoveryKey: storage.defaultKeyId !== null,
        isBackedUp: (await crypto.getActiveSessionBackupVersion()) !== null,
        unsavedKey: typeof unsaved === "string" ? unsaved : undefined,
      });
    } catch {
      // Not reached, or refused: what was known stays, and a first look is taken again after the next sync.
      if (this.own.stage === "settingUp") this.show({ ...this.own, stage: "failed" });
    }
  }

  /** The first keys of an account; the server takes them without asking who it is. */
  private async setUp(): Promise<void> {
    this.show({ ...this.own, stage: "settingUp" });
    await writeValue(this.unfinishedAs, true);
    await this.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (request) => request(null) });
    await this.setUpRecovery();
  }

  /** The second half, which a page that is closed too early leaves for the next start. */
  private async setUpRecovery(): Promise<void> {
    await this.makeRecoveryKey(true);
    await deleteValue(this.unfinishedAs);
  }

  private async makeRecoveryKey(setupNewKeyBackup: boolean): Promise<void> {
    const { crypto } = this;
    const made = await crypto.createRecoveryKeyFromPassphrase();
    // First, so that a key that is in force never exists nowhere.
    await writeValue(this.unsavedAs, made.encodedPrivateKey);
    await this.secrets.during(undefined, () =>
      crypto.bootstrapSecretStorage({
        createSecretStorageKey: async () => made,
        setupNewSecretStorage: true,
        setupNewKeyBackup,
      }),
    );
  }

  private show(state: EncryptionState): void {
    this.own = state;
    this.state.invalidate("own");
  }

  private trustOf(roomId: RoomId): RoomTrust {
    const isEncrypted = this.context.client.getRoom(roomId)?.hasEncryptionStateEvent() ?? false;
    if (isEncrypted && !this.changed.has(roomId)) {
      this.changed.set(roomId, []);
      void this.compare(roomId);
    }
    return { isEncrypted, changed: this.changed.get(roomId) ?? [] };
  }

  private async compare(roomId: RoomId): Promise<void> {
    const room = this.context.client.getRoom(roomId);
    const members = room?.getJoinedMembers() ?? [];
    if (members.length > COMPARED_MEMBERS_MAX) return;
    const changed: UserId[] = [];
    for (const { userId } of members) {
      const status = await this.crypto.getUserVerificationStatus(userId);
      if (status.needsUserApproval) changed.push(asUserId(userId));
    }
    this.changed.set(roomId, changed);
    this.trust.invalidate(roomId);
  }
}

/** The key behind what was typed: a recovery key, or the passphrase that another client made one from. */
async function keyOf(
  text: string,
  passphrase: { salt: string; iterations: number; bits?: number } | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return decodeRecoveryKey(text.trim());
  } catch {
    if (!passphrase) throw new RecoveryError("malformed");
    const { salt, iterations, bits } = passphrase;
    return deriveRecoveryKeyFromPassphrase(text, salt, iterations, bits);
  }
}
