import {
  Direction,
  Filter,
  type MatrixEvent,
  Method,
  RoomMemberEvent,
  RoomStateEvent,
} from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, type UserId } from "./ids";
import type { MemberKey, Members } from "./members";
import { LOGGED_TYPES, type LogEntry, readActs } from "./moderation-log";
import { judgeActions, type MemberActions, NO_ACTIONS } from "./moderation-rules";
import { patiently } from "./patience";
import type { Permissions } from "./permissions";
import { DerivedSlice } from "./slice";

const LoggedEvent = v.object({
  event_id: v.string(),
  type: v.string(),
  sender: v.string(),
  origin_server_ts: v.number(),
  state_key: v.optional(v.string()),
  content: v.record(v.string(), v.unknown()),
  unsigned: v.optional(
    v.object({
      prev_content: v.optional(v.record(v.string(), v.unknown())),
      redacted_because: v.optional(v.unknown()),
    }),
  ),
});

/** Events of a page of history. */
const PAGE = 100;

/** Where a search for messages to delete stands. */
export interface DeletionProgress {
  readonly found: number;
  readonly deleted: number;
}

/** What moderators do, and what anybody reports to the administrators. */
export class Moderation {
  /** What this account may do to a member. */
  readonly actions: DerivedSlice<MemberActions, MemberKey>;

  constructor(
    private readonly context: SessionContext,
    private readonly permissions: Permissions,
    private readonly members: Members,
  ) {
    const { client, changes, onClose } = context;
    this.actions = new DerivedSlice(changes, (key) => this.judge(key), isSameActions);
    const onMember = () => this.actions.invalidateAll();
    const onState = (event: MatrixEvent) => {
      if (event.getType() === "m.room.power_levels") this.actions.invalidateAll();
    };
    client.on(RoomMemberEvent.Membership, onMember);
    client.on(RoomStateEvent.Events, onState);
    onClose(() => {
      client.off(RoomMemberEvent.Membership, onMember);
      client.off(RoomStateEvent.Events, onState);
    });
  }

  async kick(roomId: RoomId, userId: UserId, reason: string): Promise<void> {
    await this.context.client.kick(roomId, userId, reason || undefined);
  }

  async ban(roomId: RoomId, userId: UserId, reason: string): Promise<void> {
    await this.context.client.ban(roomId, userId, reason || undefined);
  }

  async unban(roomId: RoomId, userId: UserId): Promise<void> {
    await this.context.client.unban(roomId, userId);
  }

  /** Whether this account may delete messages of others there. */
  canDeleteIn(roomId: RoomId): boolean {
    return this.permissions.can(roomId).redactOthers;
  }

  /**
   * Deletes what a person wrote in these rooms since `sinceTs`, newest first, telling how far it is. Stops at the signal;
   * what is deleted by then stays deleted.
   */
  async deleteRecent(
    {
      rooms,
      userId,
      sinceTs,
      reason,
    }: { rooms: readonly RoomId[]; userId: UserId; sinceTs: number; reason: string },
    onProgress: (progress: DeletionProgress) => void,
    signal: AbortSignal,
  ): Promise<DeletionProgress> {
    let progress: DeletionProgress = { found: 0, deleted: 0 };
    const tell = (change: Partial<DeletionProgress>) => {
      progress = { ...progress, ...change };
      onProgress(progress);
    };
    for (const roomId of rooms) {
      for await (const page of this.history(roomId, { senders: [userId] }, signal)) {
        const wanted = page.filter((event) => isMessage(event) && event.origin_server_ts >= sinceTs);
        tell({ found: progress.found + wanted.length });
        for (const event of wanted) {
          await patiently(() => this.redact(roomId, event.event_id, reason), signal);
          tell({ deleted: progress.deleted + 1 });
        }
        if (page.some(({ origin_server_ts: ts }) => ts < sinceTs)) break;
      }
    }
    return progress;
  }

  /** What moderators did in a room, newest first, a page at a time. */
  async *log(roomId: RoomId, signal: AbortSignal): AsyncGenerator<readonly LogEntry[]> {
    const me = this.context.client.getSafeUserId();
    for await (const page of this.history(roomId, { types: [...LOGGED_TYPES] }, signal)) {
      yield page.flatMap((event) => {
        const acts = readActs(roomId, { ...event, prevContent: event.unsigned?.prev_content ?? {} });
        // Deleting one's own is no moderation; whose it was is known of what this device holds.
        return acts.filter((act) => act.act !== "delete" || !this.isOwnDeletion(roomId, event, me));
      });
    }
  }

  async reportRoom(roomId: RoomId, reason: string): Promise<void> {
    await this.post(["rooms", roomId, "report"], { reason });
  }

  async reportPerson(userId: UserId, reason: string): Promise<void> {
    await this.post(["users", userId, "report"], { reason });
  }

  private async post(path: readonly string[], body: Record<string, unknown>): Promise<void> {
    const encoded = `/${path.map(encodeURIComponent).join("/")}`;
    await this.context.client.http.authedRequest(Method.Post, encoded, undefined, body);
  }

  private async redact(roomId: RoomId, eventId: string, reason: string): Promise<void> {
    const { client } = this.context;
    const path = ["rooms", roomId, "redact", eventId, client.makeTxnId()].map(encodeURIComponent).join("/");
    await client.http.authedRequest(Method.Put, `/${path}`, undefined, reason ? { reason } : {});
  }

  private async *history(
    roomId: RoomId,
    wanted: { senders?: string[]; types?: string[] },
    signal: AbortSignal,
  ): AsyncGenerator<readonly v.InferOutput<typeof LoggedEvent>[]> {
    const { client } = this.context;
    const filter = Filter.fromJson(client.getUserId(), "", { room: { timeline: wanted } });
    let from: string | null = null;
    do {
      const start: string | null = from;
      const answer: { chunk: unknown[]; end?: string } = await patiently(
        () => client.createMessagesRequest(roomId, start, PAGE, Direction.Backward, filter),
        signal,
      );
      signal.throwIfAborted();
      // What is not as it should be is passed over: it is somebody's invention.
      yield answer.chunk.flatMap((event) => {
        const parsed = v.safeParse(LoggedEvent, event);
        return parsed.success ? [parsed.output] : [];
      });
      from = answer.end && answer.end !== start ? answer.end : null;
    } while (from !== null);
  }

  private isOwnDeletion(roomId: RoomId, event: v.InferOutput<typeof LoggedEvent>, me: string): boolean {
    const target = event.content.redacts;
    const redacted =
      typeof target === "string" ? this.context.client.getRoom(roomId)?.findEventById(target) : undefined;
    return redacted
      ? redacted.getSender() === event.sender
      : event.sender === me && !this.permissions.can(roomId).redactOthers;
  }

  private judge(key: MemberKey): MemberActions {
    const bar = key.indexOf("|");
    const [roomId, target] = [asRoomId(key.slice(0, bar)), asUserId(key.slice(bar + 1))];
    const levels = this.permissions.levelsOf(roomId);
    const room = this.context.client.getRoom(roomId);
    if (!levels || room?.getMyMembership() !== "join") return NO_ACTIONS;
    return judgeActions({
      levels,
      roles: this.permissions.roles.peek(roomId),
      me: asUserId(this.context.client.getSafeUserId()),
      target,
      membership: this.members.one.peek(key).membership,
    });
  }
}

function isMessage(event: v.InferOutput<typeof LoggedEvent>): boolean {
  return (
    event.state_key === undefined &&
    event.type !== "m.room.redaction" &&
    event.unsigned?.redacted_because === undefined &&
    Object.keys(event.content).length > 0
  );
}

function isSameActions(a: MemberActions, b: MemberActions): boolean {
  return (
    a.canKick === b.canKick &&
    a.canBan === b.canBan &&
    a.canUnban === b.canUnban &&
    a.canRedact === b.canRedact &&
    a.grantable.length === b.grantable.length &&
    a.grantable.every(
      ({ level, name }, index) => level === b.grantable[index]?.level && name === b.grantable[index]?.name,
    )
  );
}
