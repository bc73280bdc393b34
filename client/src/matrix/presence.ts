import { ClientEvent, type MatrixEvent, SetPresence, type User, UserEvent } from "matrix-js-sdk/lib/matrix";
import { callSettings } from "~/calls/settings";
import { readAccountData, watchAccountData, writeAccountData } from "./account-data";
import type { SessionContext } from "./context";
import { asUserId, type UserId } from "./ids";
import {
  fromWire,
  NO_STATUS,
  type OwnStatus,
  type PresenceState,
  parseStatus,
  storeStatus,
  toWire,
} from "./presence-status";
import { DerivedSlice } from "./slice";

export interface Presence {
  readonly state: PresenceState;
  /** What they say of themselves, empty if nothing. */
  readonly text: string;
  /** When they last did something, ms since the epoch; 0 if that is not known. */
  readonly lastActiveTs: number;
}

/** The account's own choice is kept here, so that all its devices say the same. */
const STATUS = "org.echorift.status";
const IDLE_AFTER_MS = 10 * 60_000;
/** How often it is looked whether somebody went idle, or a status has ended. */
const LOOK_EVERY_MS = 20_000;
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"] as const;

const AS_SET: Record<"online" | "unavailable" | "offline", SetPresence> = {
  online: SetPresence.Online,
  unavailable: SetPresence.Unavailable,
  offline: SetPresence.Offline,
};

/** Who is there, and what this account lets others see of itself (CS API § Presence). */
export class Presences {
  readonly of: DerivedSlice<Presence, UserId>;
  /** One key, `"own"`: what this person chose. */
  readonly own: DerivedSlice<OwnStatus>;
  /** One key, `"all"`: rises with every change of anybody's presence, for lists that are sorted by it. */
  readonly revision: DerivedSlice<{ revision: number }>;
  private changesSeen = 0;
  private lastActiveTs: number;
  private isIdle = false;
  private told = "";

  constructor(
    private readonly context: SessionContext,
    private readonly now: () => number = Date.now,
  ) {
    const { client, changes, onClose } = context;
    this.lastActiveTs = now();
    const me = client.getSafeUserId();
    // Of ourselves nobody knows better; the SDK forgets it with every start.
    this.of = new DerivedSlice(changes, (userId) =>
      userId === me ? this.describeOwn() : describe(client.getUser(userId)),
    );
    this.own = new DerivedSlice(changes, () => this.chosen());
    this.revision = new DerivedSlice(changes, () => ({ revision: this.changesSeen }));
    const onPresence = (_event: MatrixEvent | undefined, user: User) => {
      this.of.invalidate(asUserId(user.userId));
      this.changesSeen += 1;
      this.revision.invalidate("all");
    };
    const onSync = () => void this.tell();
    const onChoice = () => {
      this.noteOwn();
      void this.tell();
    };
    const onLife = () => this.noteActivity();
    client.on(UserEvent.Presence, onPresence);
    client.on(UserEvent.LastPresenceTs, onPresence);
    // Also before the first answer of the server: what lies in the cache says already who wants to be invisible.
    client.on(ClientEvent.Sync, onSync);
    for (const sign of SIGNS_OF_LIFE) window.addEventListener(sign, onLife, { passive: true });
    const timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    watchAccountData(context, [STATUS], onChoice);
    onClose(() => {
      client.off(UserEvent.Presence, onPresence);
      client.off(UserEvent.LastPresenceTs, onPresence);
      client.off(ClientEvent.Sync, onSync);
      for (const sign of SIGNS_OF_LIFE) window.removeEventListener(sign, onLife);
      clearInterval(timer);
    });
  }

  /** Chooses what others see, until `untilTs` if that is given. */
  async choose(status: OwnStatus): Promise<void> {
    await writeAccountData(this.context, STATUS, storeStatus(status));
  }

  private chosen(): OwnStatus {
    const status = parseStatus(readAccountData(this.context, STATUS));
    return status.untilTs !== undefined && status.untilTs <= this.now() ? NO_STATUS : status;
  }

  private noteActivity(): void {
    this.lastActiveTs = this.now();
    if (this.isIdle) this.look();
  }

  private look(): void {
    this.isIdle = this.now() - this.lastActiveTs >= IDLE_AFTER_MS;
    this.noteOwn();
    void this.tell();
  }

  private noteOwn(): void {
    this.own.invalidate("own");
    this.of.invalidate(asUserId(this.context.client.getSafeUserId()));
    this.changesSeen += 1;
    this.revision.invalidate("all");
  }

  private describeOwn(): Presence {
    const { presence, text } = this.toTell();
    return { ...fromWire(presence, text), lastActiveTs: this.lastActiveTs };
  }

  /** What others are to see. */
  private toTell(): ReturnType<typeof toWire> {
    // Whoever counts every byte does not tell of each coming and going; what they chose holds.
    return toWire(this.chosen(), this.isIdle && !callSettings.getState().lowBandwidth);
  }

  /** Tells the server, if it is not what it was told last. Sync repeats the presence, the request brings the text. */
  private async tell(): Promise<void> {
    const { client } = this.context;
    const { presence, text } = this.toTell();
    await client.setSyncPresence(AS_SET[presence]);
    const telling = `${presence} ${text}`;
    if (telling === this.told || client.getSyncState() !== "SYNCING") return;
    this.told = telling;
    try {
      await client.setPresence({ presence, status_msg: text });
    } catch {
      // Presence is a courtesy: it is told again with the next look.
      this.told = "";
    }
  }
}

function describe(user: User | null): Presence {
  if (!user?.events.presence) return { state: "offline", text: "", lastActiveTs: 0 };
  return { ...fromWire(user.presence, user.presenceStatusMsg ?? ""), lastActiveTs: user.getLastActiveTs() };
}
