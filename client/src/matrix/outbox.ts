import {
  ClientEvent,
  EventStatus,
  type MatrixEvent,
  type Room,
  RoomEvent,
  SyncState,
} from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { pauseBefore, type SendQueue } from "./queue";
import { readValue, writeValueAtOnce } from "./storage";

/** More than anybody writes while a train is in a tunnel; a bound on what a loop could fill the disk with. */
const UNSENT_MAX = 500;

const Stored = v.array(
  v.object({
    txnId: v.string(),
    roomId: v.string(),
    threadId: v.optional(v.string()),
    type: v.string(),
    content: v.record(v.string(), v.unknown()),
    hasFailed: v.boolean(),
  }),
);
type Unsent = v.InferOutput<typeof Stored>[number];

class OutboxFull extends Error {}

/** An event to be sent into a room. */
interface Outgoing {
  readonly roomId: string;
  readonly threadId?: string | undefined;
  readonly type: string;
  readonly content: Record<string, unknown>;
}

/**
 * What was written and has not reached the server. It outlives the page: after a reload each event is shown and sent
 * again under the transaction it had, so that the server takes none twice (CS API § Transaction identifiers).
 */
export class Outbox {
  private unsent: Unsent[] = [];
  private readonly storedAs: string;
  private isRestored = false;

  constructor(
    private readonly context: SessionContext,
    private readonly queue: SendQueue,
  ) {
    const { client, onClose } = context;
    this.storedAs = `outbox:${client.getSafeUserId()}`;
    queue.onWaits = (event) => {
      if (event.status !== EventStatus.SENDING) return;
      client.getRoom(event.getRoomId())?.updatePendingEvent(event, EventStatus.QUEUED);
    };
    const onEcho = (event: MatrixEvent, _room: Room) => this.follow(event);
    const onSync = (state: SyncState) => {
      if (state === SyncState.Prepared && !this.isRestored) void this.restore();
      if (state === SyncState.Prepared || state === SyncState.Syncing) queue.wake();
    };
    const wake = () => queue.wake();
    client.on(RoomEvent.LocalEchoUpdated, onEcho);
    client.on(ClientEvent.Sync, onSync);
    window.addEventListener("online", wake);
    onClose(() => {
      client.off(RoomEvent.LocalEchoUpdated, onEcho);
      client.off(ClientEvent.Sync, onSync);
      window.removeEventListener("online", wake);
    });
  }

  /** Shows an event at once and sends it when its turn comes, now or after the next start. */
  send(outgoing: Outgoing): void {
    if (this.unsent.length >= UNSENT_MAX) throw new OutboxFull("too much is waiting to be sent");
    const entry: Unsent = {
      txnId: this.context.client.makeTxnId(),
      roomId: outgoing.roomId,
      ...(outgoing.threadId ? { threadId: outgoing.threadId } : {}),
      type: outgoing.type,
      content: outgoing.content,
      hasFailed: false,
    };
    this.unsent.push(entry);
    this.save();
    this.post(entry);
  }

  /** Sends a failed event again, under the same transaction. */
  retry(roomId: string, txnId: string): void {
    const { room, event } = this.find(roomId, txnId);
    if (room && event?.status === EventStatus.NOT_SENT) this.resend(event, room, 0);
  }

  /** Forgets an event that has not been sent. */
  discard(roomId: string, txnId: string): void {
    const { event } = this.find(roomId, txnId);
    if (event) this.context.client.cancelPendingEvent(event);
  }

  private async restore(): Promise<void> {
    this.isRestored = true;
    const stored = v.safeParse(Stored, await readValue(this.storedAs));
    if (!stored.success) return;
    const { client } = this.context;
    const before = stored.output.filter(({ roomId }) => client.getRoom(roomId)?.getMyMembership() === "join");
    this.unsent = [...before, ...this.unsent];
    for (const entry of before) this.post(entry);
  }

  private post(entry: Unsent): void {
    const { client } = this.context;
    const { roomId, threadId, type, content, txnId } = entry;
    if (entry.hasFailed) this.queue.hold(txnId);
    // The SDK keeps the content and adds to it: it gets one of its own.
    const own = structuredClone(content) as never;
    const sending = client.sendEvent(roomId, threadId ?? null, type as never, own, txnId);
    const { room, event } = this.find(roomId, txnId);
    const isBlocked = event?.status === EventStatus.NOT_SENT;
    sending.catch((error: unknown) => {
      if (room && event && !isBlocked && !entry.hasFailed) void this.resendLater(error, event, room, 1);
    });
    // The SDK holds back what follows a failed event; ours do not depend on each other.
    if (isBlocked && room && event && !entry.hasFailed) this.resend(event, room, 0);
  }

  private resend(event: MatrixEvent, room: Room, attempts: number): void {
    this.context.client
      .resendEvent(event, room)
      .catch((error: unknown) => this.resendLater(error, event, room, attempts + 1));
  }

  /** The queue tries sending again by itself; this is for what fails before it, as fetching keys does while offline. */
  private async resendLater(error: unknown, event: MatrixEvent, room: Room, attempts: number): Promise<void> {
    const pauseMs = pauseBefore(error, attempts, Math.random());
    if (pauseMs === undefined) return;
    await this.queue.pause(pauseMs);
    if (event.status === EventStatus.NOT_SENT) this.resend(event, room, attempts);
  }

  private follow(event: MatrixEvent): void {
    const txnId = event.getTxnId() ?? event.getUnsigned().transaction_id;
    const place = this.unsent.findIndex((entry) => entry.txnId === txnId);
    const entry = this.unsent[place];
    if (!entry) return;
    const { status } = event;
    if (status === null || status === EventStatus.SENT || status === EventStatus.CANCELLED) {
      this.unsent.splice(place, 1);
    } else {
      const hasFailed = status === EventStatus.NOT_SENT && !isPassing(event.error);
      if (entry.hasFailed === hasFailed) return;
      this.unsent[place] = { ...entry, hasFailed };
    }
    this.save();
  }

  private find(roomId: string, txnId: string): { room: Room | null; event: MatrixEvent | undefined } {
    const room = this.context.client.getRoom(roomId);
    return { room, event: room?.getPendingEvents().find((event) => event.getTxnId() === txnId) };
  }

  private save(): void {
    writeValueAtOnce(this.storedAs, this.unsent);
  }
}

const isPassing = (error: unknown) => error === null || pauseBefore(error, 1, 0) !== undefined;
