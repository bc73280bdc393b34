import { ClientEvent, type MatrixEvent, Method } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asEventId, asRoomId, asUserId, type EventId, type RoomId, type UserId } from "./ids";
import { addDone, collect, type Done, isDone, readDone, reasonOf, threadOf } from "./inbox-rules";
import { permissionsOf, readPowerLevels } from "./power-levels";
import { DerivedSlice } from "./slice";

/** A message that waits for this person. */
export interface InboxMessage {
  readonly kind: "mention" | "thread";
  readonly eventId: EventId;
  readonly roomId: RoomId;
  readonly threadId: EventId | undefined;
  readonly sender: UserId;
  /** `undefined` where this device cannot read it. */
  readonly text: string | undefined;
  readonly ts: number;
  readonly isRead: boolean;
}

/** Somebody who asks to be let in where this person may decide. */
export interface Knock {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly name: string;
  readonly reason: string | undefined;
}

const DONE_TYPE = "org.echorift.inbox_done";
/** More lines are not read in one sitting. */
const LINES_MAX = 60;
/** Where much is said, replies in threads lie far between; further back than this nobody looks for them here. */
const PAGE = 100;
const PAGES_MAX = 5;

/** What waits for this person: mentions, replies in threads, people who knock. Invitations are a list of rooms. */
export class Inbox {
  /** One key, `"done"`. */
  readonly done: DerivedSlice<Done>;

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.done = new DerivedSlice(changes, () => this.readDone());
    const onAccountData = (event: MatrixEvent) => {
      if (event.getType() === DONE_TYPE) this.done.invalidate("done");
    };
    client.on(ClientEvent.AccountData, onAccountData);
    onClose(() => client.off(ClientEvent.AccountData, onAccountData));
  }

  /** The newest mentions and replies in threads that are not done. */
  async messages(): Promise<readonly InboxMessage[]> {
    const [mentions, replies] = await Promise.all([
      // Asked for by themselves: behind a busy day in other channels they would be pages away.
      this.notifications("mention", { only: "highlight" }),
      this.notifications("thread", {}),
    ]);
    const newestFirst = [...mentions, ...replies].sort((a, b) => b.ts - a.ts);
    return newestFirst.flatMap((notification) => {
      const kind = reasonOf(notification);
      const { event, room_id, ts, read } = notification;
      if (!kind) return [];
      const thread = threadOf(notification);
      return [
        {
          kind,
          eventId: asEventId(event.event_id),
          roomId: asRoomId(room_id),
          threadId: thread ? asEventId(thread) : undefined,
          sender: asUserId(event.sender),
          text: this.textOf(room_id, event.event_id, event.content),
          ts,
          isRead: read,
        },
      ];
    });
  }

  private notifications(kind: InboxMessage["kind"], query: Record<string, string>) {
    const { client } = this.context;
    const done = this.readDone();
    return collect(
      (from) =>
        client.http.authedRequest(Method.Get, "/notifications", {
          ...query,
          limit: String(PAGE),
          ...(from === undefined ? {} : { from }),
        }),
      (one) => reasonOf(one) === kind && !isDone(done, one.event.event_id, one.ts),
      { enough: LINES_MAX, pagesMax: PAGES_MAX },
    );
  }

  knocks(): readonly Knock[] {
    const { client } = this.context;
    const me = asUserId(client.getSafeUserId());
    return client
      .getRooms()
      .filter((room) => room.getMyMembership() === "join")
      .flatMap((room) => {
        const knocking = room.getMembersWithMembership("knock");
        if (knocking.length === 0) return [];
        const create = room.currentState.getStateEvents("m.room.create", "");
        const creation = create && {
          sender: create.getSender() ?? "",
          version: room.getVersion(),
          additionalCreators: create.getContent().additional_creators,
        };
        const levels = room.currentState.getStateEvents("m.room.power_levels", "")?.getContent();
        if (!permissionsOf(readPowerLevels(creation ?? undefined, levels), me).invite) return [];
        return knocking.map((member) => {
          const reason: unknown = member.events.member?.getContent().reason;
          return {
            roomId: asRoomId(room.roomId),
            userId: asUserId(member.userId),
            name: member.rawDisplayName || member.userId,
            reason: typeof reason === "string" ? reason : undefined,
          };
        });
      });
  }

  /** Takes one message out of the inbox, on every device. */
  async finish(eventId: EventId): Promise<void> {
    await this.write(addDone(this.readDone(), eventId));
  }

  /** Takes out everything up to now. */
  async finishAll(now: number = Date.now()): Promise<void> {
    await this.write({ ids: [], untilTs: now });
  }

  private readDone(): Done {
    return readDone(this.context.client.getAccountData(DONE_TYPE as never)?.getContent());
  }

  private async write({ ids, untilTs }: Done): Promise<void> {
    await this.context.client.setAccountData(DONE_TYPE as never, { ids, until_ts: untilTs } as never);
  }

  /** This device may have decrypted what the server cannot read. */
  private textOf(roomId: string, eventId: string, content: Record<string, unknown>): string | undefined {
    const known = this.context.client.getRoom(roomId)?.findEventById(eventId)?.getContent();
    const body: unknown = known?.body ?? content.body;
    return typeof body === "string" ? body : undefined;
  }
}
