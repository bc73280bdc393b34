import {
  CryptoEvent,
  type ShowQrCodeCallbacks,
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
import { codeRole, RECIPROCATE, SCAN, SHOW } from "./code-roles";
import type { Identities } from "./identities";

/** Emoji (CS API § Short Authentication String verification). */
const SAS = "m.sas.v1";
/** What this device can: it reads codes where it has a camera. */
export async function verificationMethods(): Promise<string[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const hasCamera = devices.some(({ kind }) => kind === "videoinput");
  return [SAS, SHOW, RECIPROCATE, ...(hasCamera ? [SCAN] : [])];
}

/** The other side ends without telling the SDK's request; so it is looked at. */
const LOOK_AGAIN_MS = 500;

export interface VerificationView {
  /**
   * `asked`: by somebody else, to be accepted; `waiting`: for the other side; `code`: to be shown or read, or emoji instead;
   * `scanned`: the other side has read ours; `emoji`: to be compared; `confirmed`: here, but not there yet.
   */
  readonly phase: "asked" | "waiting" | "code" | "scanned" | "emoji" | "confirmed" | "done" | "cancelled";
  /** The code to show, in bytes; without one in the phase `code`, the other side's is to be read. */
  readonly code: readonly number[] | undefined;
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

/** Making sure of another device, or another person, by a code or by emoji; one at a time. */
export class Verifications {
  /** One key, `"current"`. */
  readonly current: DerivedSlice<{ view: VerificationView | undefined }>;
  private request: VerificationRequest | undefined;
  private verifier: Verifier | undefined;
  private sas: ShowSasCallbacks | undefined;
  private scanned: ShowQrCodeCallbacks | undefined;
  private code: readonly number[] | undefined;
  private isStarted = false;
  private isConfirmed = false;
  private again: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly identities: Identities,
    /** What this device was started with (`verificationMethods`). */
    private readonly methods: readonly string[],
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

  /** The emoji are the same on both sides; or the other side says that it has read our code. */
  async confirm(): Promise<void> {
    this.isConfirmed = true;
    this.look();
    if (this.scanned) this.scanned.confirm();
    else await this.sas?.confirm();
  }

  /** Emoji instead of a code. */
  async compareEmoji(): Promise<void> {
    if (this.request?.phase === VerificationPhase.Ready) await this.startEmoji(this.request);
  }

  /** What the camera read. Fails if it is no code of a verification. */
  async scan(bytes: Uint8Array): Promise<void> {
    const { request } = this;
    if (request?.phase !== VerificationPhase.Ready) return;
    const verifier = await request.scanQRCode(new Uint8ClampedArray(bytes));
    this.isConfirmed = true;
    this.take(verifier);
    this.look();
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
    this.scanned = undefined;
    this.code = undefined;
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
    if (request.phase === VerificationPhase.Ready && !this.isStarted) {
      this.isStarted = true;
      const role = this.roleIn(request);
      if (role === "show") void this.makeCode(request);
      else if (role === undefined && request.initiatedByMe) void this.startEmoji(request);
    } else if (request.verifier) this.take(request.verifier);
    this.scanned ??= request.verifier?.getReciprocateQrCodeCallbacks() ?? undefined;
    this.current.invalidate("current");
  };

  private roleIn(request: VerificationRequest): "show" | "read" | undefined {
    return codeRole({
      hasAsked: request.initiatedByMe,
      isMine: (method) => this.methods.includes(method),
      isTheirs: (method) => request.otherPartySupportsMethod(method),
    });
  }

  private async makeCode(request: VerificationRequest): Promise<void> {
    const bytes = await request.generateQRCode().catch(() => undefined);
    if (request !== this.request) return;
    // Keys that a code would hold are missing: emoji need fewer.
    if (!bytes) return request.initiatedByMe ? this.startEmoji(request) : undefined;
    this.code = [...bytes];
    this.current.invalidate("current");
  }

  /** If both started, the SDK settles whose start counts; the verifier is then the request's. */
  private startEmoji(request: VerificationRequest): Promise<void> {
    return request.startVerification(SAS).then(this.take, this.look);
  }

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
      code: this.code,
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
    if (this.isConfirmed) return "confirmed";
    if (this.sas) return "emoji";
    if (this.scanned) return "scanned";
    const isReady = request.phase === VerificationPhase.Ready;
    return isReady && (this.code || this.roleIn(request) === "read") ? "code" : "waiting";
  }
}
