import {
  CryptoEvent,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api";
import type { SessionContext } from "../context";
import { asUserId, type DeviceId, type RoomId, type UserId } from "../ids";
import { DerivedSlice } from "../slice";
import type { Identities } from "./identities";

/** The one method spoken here: emoji (CS API § Short Authentication String verification). */
export const SAS = "m.sas.v1";

/** The other side ends without telling the SDK's request; so it is looked at. */
const LOOK_AGAIN_MS = 500;

export interface VerificationView {
  /** `asked`: by somebody else, to be accepted; `waiting`: for the other side; `emoji`: to be compared. */
  readonly phase: "asked" | "waiting" | "emoji" | "confirmed" | "done" | "cancelled";
  readonly userId: UserId;
  readonly deviceId: string | undefined;
  /** Between two devices of this account. */
  readonly isOwn: boolean;
  readonly emoji: readonly { readonly symbol: string; readonly name: string }[];
  /** Of a cancelled one: the emoji did not match. */
  readonly isMismatch: boolean;
}

/** Somebody who has never signed in with a client that encrypts has no keys. */
export class NothingToCompare extends Error {
  constructor(userId: UserId) {
    super(`${userId} has no keys`);
  }
}

/** Comparing emoji with another device, or another person; one at a time. */
export class Verifications {
  /** One key, `"current"`. */
  readonly current: DerivedSlice<{ view: VerificationView | undefined }>;
  private request: VerificationRequest | undefined;
  private verifier: Verifier | undefined;
  private sas: ShowSasCallbacks | undefined;
  private isStarted = false;
  private isConfirmed = false;
  private again: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly identities: Identities,
  ) {
    const { client, changes, onClose } = context;
    this.current = new DerivedSlice(
      changes,
      () => ({ view: this.view() }),
      (a, b) => JSON.stringify(a) === JSON.stringify(b),
    );
    const onRequest = (request: VerificationRequest) => {
      if (!this.request?.pending) this.follow(request);
    };
    client.on(CryptoEvent.VerificationRequestReceived, onRequest);
    onClose(() => {
      client.off(CryptoEvent.VerificationRequestReceived, onRequest);
      this.close();
    });
  }

  /** Asks the account's other devices to verify this one. */
  async askOwnDevices(): Promise<void> {
    const crypto = this.context.client.getCrypto();
    if (crypto) this.follow(await crypto.requestOwnUserVerification());
  }

  /** Asks one other device of this account. */
  async askDevice(deviceId: DeviceId): Promise<void> {
    const { client } = this.context;
    const request = await client.getCrypto()?.requestDeviceVerification(client.getSafeUserId(), deviceId);
    if (request) this.follow(request);
  }

  /**
   * Asks another person, in the direct message that both share (CS API § Key verification framework, in-room).
   * Errors: `NothingToCompare`, if they have no keys yet.
   */
  async askPerson(userId: UserId, roomId: RoomId): Promise<void> {
    if (!(await this.identities.arrive(userId))) throw new NothingToCompare(userId);
    const request = await this.context.client.getCrypto()?.requestVerificationDM(userId, roomId);
    if (request) this.follow(request);
  }

  async accept(): Promise<void> {
    await this.request?.accept();
  }

  /** The emoji are the same on both sides. */
  async confirm(): Promise<void> {
    this.isConfirmed = true;
    this.look();
    await this.sas?.confirm();
  }

  /** They are not: somebody may stand between. */
  mismatch(): void {
    this.sas?.mismatch();
  }

  /** Ends it, or puts away what is over. */
  async cancel(): Promise<void> {
    const { request } = this;
    this.close();
    if (request?.pending) await request.cancel();
  }

  private follow(request: VerificationRequest): void {
    this.close();
    this.request = request;
    request.on(VerificationRequestEvent.Change, this.look);
    this.again = setInterval(this.look, LOOK_AGAIN_MS);
    this.look();
  }

  private close(): void {
    clearInterval(this.again);
    this.request?.off(VerificationRequestEvent.Change, this.look);
    this.verifier?.off(VerifierEvent.ShowSas, this.showSas);
    this.request = undefined;
    this.verifier = undefined;
    this.sas = undefined;
    this.isStarted = false;
    this.isConfirmed = false;
    this.current.invalidate("current");
  }

  private readonly showSas = (sas: ShowSasCallbacks): void => {
    this.sas = sas;
    this.current.invalidate("current");
  };

  private readonly look = (): void => {
    const { request } = this;
    if (!request) return;
    const isOver = !request.pending;
    if (isOver) clearInterval(this.again);
    if (request.phase === VerificationPhase.Ready && request.initiatedByMe && !this.isStarted) {
      this.isStarted = true;
      // If both started, the SDK settles whose start counts; the verifier is then the request's.
      void request.startVerification(SAS).then(this.take, this.look);
    } else if (request.verifier) this.take(request.verifier);
    this.current.invalidate("current");
  };

  private readonly take = (verifier: Verifier): void => {
    if (this.verifier === verifier || !this.request) return;
    this.verifier?.off(VerifierEvent.ShowSas, this.showSas);
    this.verifier = verifier;
    verifier.on(VerifierEvent.ShowSas, this.showSas);
    const shown = verifier.getShowSasCallbacks();
    if (shown) this.showSas(shown);
    // How it ends is read from the request.
    void verifier.verify().then(this.look, this.look);
  };

  private view(): VerificationView | undefined {
    const { request } = this;
    if (!request) return undefined;
    return {
      phase: this.phaseOf(request),
      userId: asUserId(request.otherUserId),
      deviceId: request.otherDeviceId,
      isOwn: request.isSelfVerification,
      emoji: (this.sas?.sas.emoji ?? []).map(([symbol, name]) => ({ symbol, name })),
      isMismatch: request.cancellationCode === "m.mismatched_sas",
    };
  }

  private phaseOf(request: VerificationRequest): VerificationView["phase"] {
    if (request.phase === VerificationPhase.Done) return "done";
    if (request.phase === VerificationPhase.Cancelled) return "cancelled";
    if (request.phase === VerificationPhase.Requested && !request.initiatedByMe && !request.accepting)
      return "asked";
    if (this.sas) return this.isConfirmed ? "confirmed" : "emoji";
    return "waiting";
  }
}
