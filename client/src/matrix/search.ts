import { type MatrixEvent, Method, type Room } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { asEventId, asRoomId, asUserId, type EventId, localpartOf, type RoomId, type UserId } from "./ids";
import { fits, hasWords, type SearchQuery, wordsOf } from "./search-query";

const PAGE = 20;
/** `has:` and days are not the server's to sort out: so many pages are looked through for one of ours. */
const PAGES_MAX = 5;

/** A line of what was found. */
export interface FoundLine {
  readonly eventId: EventId;
  readonly sender: UserId;
  readonly senderName: string;
  readonly ts: number;
  readonly body: string;
}

/** A message that was found, and what stands around it. */
export interface Found extends FoundLine {
  readonly roomId: RoomId;
  readonly before: FoundLine | undefined;
  readonly after: FoundLine | undefined;
}

export interface FoundPage {
  readonly results: readonly Found[];
  /** Where the next page begins; `undefined` at the end. */
  readonly next: string | undefined;
  /** The words to mark, as the server found them. */
  readonly highlights: readonly string[];
}

const Event = v.object({
  event_id: v.string(),
  room_id: v.optional(v.string(), ""),
  sender: v.string(),
  type: v.string(),
  origin_server_ts: v.number(),
  content: v.optional(v.record(v.string(), v.unknown()), {}),
});
type Event = v.InferOutput<typeof Event>;

const Answer = v.object({
  search_categories: v.object({
    room_events: v.object({
      highlights: v.optional(v.array(v.string()), []),
      next_batch: v.optional(v.string()),
      results: v.optional(
        v.array(
          v.object({
            result: Event,
            context: v.optional(
              v.object({
                events_before: v.optional(v.array(Event), []),
                events_after: v.optional(v.array(Event), []),
              }),
              {},
            ),
          }),
        ),
        [],
      ),
    }),
  }),
});

const Messages = v.object({ chunk: v.array(Event), end: v.optional(v.string()) });

/** Finds messages: by the server, and in encrypted rooms in what this device holds. */
export class Search {
  constructor(private readonly context: SessionContext) {}

  /** One page of what the server finds, the newest first; in this room, or in all. */
  async find(
    query: SearchQuery,
    roomId: RoomId | undefined,
    start: string | undefined,
    signal: AbortSignal,
  ): Promise<FoundPage> {
    const rooms = this.roomsOf(query, roomId);
    if (query.from.length > 0 && rooms?.length === 1)
      await this.context.client
        .getRoom(rooms[0])
        ?.loadMembersIfNeeded()
        .catch(() => {});
    const senders = this.sendersOf(query, rooms);
    // Nobody of that name, nothing of that name: nothing is found.
    if (rooms?.length === 0 || senders?.length === 0) return { results: [], next: undefined, highlights: [] };
    const results: Found[] = [];
    let next = start;
    let highlights: readonly string[] = [];
    for (let page = 0; page < PAGES_MAX && results.length < PAGE; page++) {
      signal.throwIfAborted();
      const found = query.words
        ? await this.search(query, rooms, senders, next)
        : await this.browse(query, rooms?.[0], senders, next);
      results.push(...found.results);
      if (found.highlights.length > 0) highlights = found.highlights;
      next = found.next;
      if (next === undefined) break;
    }
    return { results, next, highlights };
  }

  /** What this device holds of an encrypted room, the newest first. */
  findHere(query: SearchQuery, roomId: RoomId): FoundPage {
    const room = this.context.client.getRoom(roomId);
    if (!room) return { results: [], next: undefined, highlights: [] };
    const senders = this.sendersOf(query, [roomId]);
    const results = room
      .getUnfilteredTimelineSet()
      .getTimelines()
      .flatMap((timeline) => timeline.getEvents())
      .filter((event) => {
        if (event.getType() !== "m.room.message" || event.isRedacted() || event.isRelation("m.replace"))
          return false;
        const { body, msgtype } = lineOf(event);
        const isSender = senders?.includes(asUserId(event.getSender() ?? "")) ?? true;
        return isSender && fits(query, { ts: event.getTs(), msgtype, body }) && hasWords(body, query.words);
      })
      .sort((a, b) => b.getTs() - a.getTs())
      .slice(0, PAGE * PAGES_MAX)
      .map((event) => ({
        roomId,
        eventId: asEventId(event.getId() ?? ""),
        sender: asUserId(event.getSender() ?? ""),
        senderName: this.nameOf(roomId, event.getSender() ?? ""),
        ts: event.getTs(),
        body: lineOf(event).body,
        before: undefined,
        after: undefined,
      }));
    return { results, next: undefined, highlights: wordsOf(query.words) };
  }

  private async search(
    query: SearchQuery,
    rooms: readonly RoomId[] | undefined,
    senders: readonly UserId[] | undefined,
    next: string | undefined,
  ): Promise<FoundPage> {
    const answer = await this.context.client.search({
      ...(next ? { next_batch: next } : {}),
      body: {
        search_categories: {
          room_events: {
            search_term: query.words,
            keys: ["content.body"] as never,
            order_by: "recent" as never,
            event_context: { before_limit: 1, after_limit: 1, include_profile: false },
            filter: {
              limit: PAGE,
              types: ["m.room.message"],
              ...(rooms ? { rooms: [...rooms] } : {}),
              ...(senders ? { senders: [...senders] } : {}),
            },
          },
        },
      },
    });
    const { results, next_batch, highlights } = v.parse(Answer, answer).search_categories.room_events;
    return {
      next: next_batch,
      highlights,
      results: results
        .filter(({ result }) => fitsEvent(query, result))
        .map(({ result, context: { events_before = [], events_after = [] } }) => ({
          ...this.line(asRoomId(result.room_id), result),
          roomId: asRoomId(result.room_id),
          before: this.neighbour(asRoomId(result.room_id), events_before),
          after: this.neighbour(asRoomId(result.room_id), events_after),
        })),
    };
  }

  /** Without a word there is nothing for the server to look up: the room is read backwards, through a filter. */
  private async browse(
    query: SearchQuery,
    roomId: RoomId | undefined,
    senders: readonly UserId[] | undefined,
    next: string | undefined,
  ): Promise<FoundPage> {
    if (!roomId) return { results: [], next: undefined, highlights: [] };
    const filter = {
      types: ["m.room.message"],
      ...(senders ? { senders } : {}),
      ...(query.has.some((kind) => kind !== "link") ? { contains_url: true } : {}),
    };
    const { client } = this.context;
    const answer = await client.http.authedRequest<unknown>(
      Method.Get,
      `/rooms/${encodeURIComponent(roomId)}/messages`,
      { dir: "b", limit: "100", filter: JSON.stringify(filter), ...(next ? { from: next } : {}) },
    );
    const { chunk, end } = v.parse(Messages, answer);
    return {
      next: end,
      highlights: [],
      results: chunk
        .filter((event) => fitsEvent(query, event))
        .map((event) => ({ ...this.line(roomId, event), roomId, before: undefined, after: undefined })),
    };
  }

  /** The rooms that are meant; `undefined` for all. */
  private roomsOf(query: SearchQuery, roomId: RoomId | undefined): readonly RoomId[] | undefined {
    if (query.in.length === 0) return roomId ? [roomId] : undefined;
    if (query.in.includes("all")) return undefined;
    const joined = this.context.client.getRooms().filter((room) => room.getMyMembership() === "join");
    return joined.filter((room) => query.in.some((name) => isNamed(room, name))).map(idOf);
  }

  /** The people that are meant; `undefined` for everybody. */
  private sendersOf(query: SearchQuery, rooms: readonly RoomId[] | undefined): readonly UserId[] | undefined {
    if (query.from.length === 0) return undefined;
    const own = this.context.client.getSafeUserId();
    const found = new Set<UserId>();
    for (const name of query.from) {
      if (name === "me") found.add(asUserId(own));
      else if (/^@.+:/.test(name)) found.add(asUserId(name));
      else
        for (const room of rooms?.map((id) => this.context.client.getRoom(id)) ??
          this.context.client.getRooms())
          for (const member of room?.getMembers() ?? [])
            if (isSame(member.rawDisplayName, name) || isSame(localpartOf(member.userId), name))
              found.add(asUserId(member.userId));
    }
    return [...found];
  }

  private neighbour(roomId: RoomId, events: readonly Event[]): FoundLine | undefined {
    const event = events.find(
      ({ type, content }) => type === "m.room.message" && typeof content.body === "string",
    );
    return event && this.line(roomId, event);
  }

  private line(roomId: RoomId, event: Event): FoundLine {
    return {
      eventId: asEventId(event.event_id),
      sender: asUserId(event.sender),
      senderName: this.nameOf(roomId, event.sender),
      ts: event.origin_server_ts,
      body: bodyOf(event.content),
    };
  }

  private nameOf(roomId: RoomId, userId: string): string {
    const member = this.context.client.getRoom(roomId)?.getMember(userId);
    return member?.rawDisplayName || localpartOf(userId);
  }
}

const idOf = (room: Room) => asRoomId(room.roomId);

const isNamed = (room: Room, name: string) =>
  room.roomId === name || room.getCanonicalAlias() === name || isSame(room.name, name);

const isSame = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

const fitsEvent = (query: SearchQuery, { content, origin_server_ts: ts }: Event) =>
  fits(query, { ts, msgtype: String(content.msgtype ?? ""), body: bodyOf(content) });

/** What a message says now: its last edit, if the server tells it. */
function bodyOf(content: Readonly<Record<string, unknown>>): string {
  const edited = (content["m.new_content"] as { body?: unknown } | undefined)?.body;
  const body = edited ?? content.body;
  return typeof body === "string" ? body.slice(0, 2_000) : "";
}

function lineOf(event: MatrixEvent): { body: string; msgtype: string } {
  const { body, msgtype } = event.getContent();
  return { body: typeof body === "string" ? body.slice(0, 2_000) : "", msgtype: String(msgtype ?? "") };
}
