import {
  Direction,
  EventTimeline,
  type EventTimelineSet,
  type IRoomTimelineData,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  RoomEvent,
  TimelineWindow,
} from "matrix-js-sdk/lib/matrix";
import { asEventId, asUserId, type EventId, type UserId } from "../ids";
import { isShallowEqual } from "../slice";
import { excessOf, Pages, type Shown } from "./extent";
import { type Entry, layOut } from "./layout";
import type { EventReader } from "./reader";
import { EMPTY_TIMELINE, type TimelineSnapshot, type WindowEnd } from "./types";

const FIRST_EVENTS = 60;
/** Events that come by themselves are few at a time. */
const TAKEN_IN_EVENTS = 60;

/** By the key of a message: those who have read up to it. */
export type Readers = ReadonlyMap<string, readonly UserId[]>;

/** A part of a timeline that is open on the screen. Tells `onChange` whenever its snapshot may differ. */
export class OpenWindow {
  private window: TimelineWindow;
  private isClosed = false;
  private stopListening: () => void = () => {};
  private status: TimelineSnapshot["status"] = "loading";
  private ends: { start: WindowEnd; end: WindowEnd } = { start: "more", end: "end" };
  private focus: TimelineSnapshot["focus"];
  private jumps = 0;
  /** The newest event is inside, and newer ones are taken in as they come. */
  private isFollowing = false;
  /** The reader is at the end: what is far above may be let go. */
  private isAtEnd = true;
  private readUpTo: EventId | undefined;
  private pages = new Pages();

  constructor(
    private readonly client: MatrixClient,
    private readonly room: Room,
    readonly timelineSet: EventTimelineSet,
    private readonly reader: EventReader,
    private readonly onChange: () => void,
  ) {
    const { window, stopListening } = this.newWindow();
    this.window = window;
    this.stopListening = stopListening;
  }

  /** Shows the newest messages, or the surroundings of an event; settles when they are there. */
  async load(eventId?: EventId): Promise<void> {
    const { window, stopListening } = this.newWindow();
    this.status = this.status === "ready" ? "ready" : "loading";
    let isCutOff = false;
    try {
      await window.load(eventId, FIRST_EVENTS);
      if (!eventId && window.getEvents().length < FIRST_EVENTS && window.canPaginate(Direction.Backward)) {
        // Without the server there is still what this device holds, and what is waiting to be sent.
        isCutOff = await window.paginate(Direction.Backward, FIRST_EVENTS).then(
          () => false,
          () => true,
        );
      }
    } catch {
      // What was shown before stays; the caller says that the jump failed.
      stopListening();
      this.status = this.status === "ready" ? "ready" : "failed";
      this.onChange();
      if (eventId) throw new Error("the message was not found");
      return;
    }
    this.stopListening();
    this.stopListening = stopListening;
    if (this.isClosed) return stopListening();
    this.window = window;
    this.pages = new Pages();
    this.status = "ready";
    this.isFollowing = !window.canPaginate(Direction.Forward);
    this.settleEnds();
    if (isCutOff) this.ends = { ...this.ends, start: "failed" };
    this.focus = eventId && { eventId, jump: ++this.jumps };
    this.onChange();
  }

  /** Where the line above new messages goes; decided once, when the timeline opens. */
  markReadUpTo(eventId: EventId | undefined): void {
    this.readUpTo = eventId;
    this.onChange();
  }

  get firstUnreadAfter(): EventId | undefined {
    return this.readUpTo;
  }

  async loadMore(direction: "back" | "forward"): Promise<void> {
    const end = direction === "back" ? "start" : "end";
    if (this.status !== "ready" || this.ends[end] === "loading" || this.ends[end] === "end") return;
    const { window, pages } = this;
    const before = this.shown();
    this.ends = { ...this.ends, [end]: "loading" };
    this.onChange();
    const towards = direction === "back" ? Direction.Backward : Direction.Forward;
    try {
      await window.paginate(towards, pages.next);
    } catch {
      if (window === this.window) this.ends = { ...this.ends, [end]: "failed" };
      this.onChange();
      return;
    }
    if (window !== this.window) return;
    pages.came(before, this.shown());
    this.shed(direction === "back" ? "end" : "start");
    if (direction === "forward") this.isFollowing = !window.canPaginate(Direction.Forward);
    this.settleEnds();
    this.onChange();
  }

  /** Nobody looks any more. */
  close(): void {
    this.isClosed = true;
    this.stopListening();
  }

  /** Told by the view: whether the reader looks at the end of the list. */
  setAtEnd(isAtEnd: boolean): void {
    this.isAtEnd = isAtEnd;
  }

  /** An event came into one of the SDK's timelines. */
  takeIn(event: MatrixEvent, data: IRoomTimelineData): void {
    if (data.timeline.getTimelineSet() !== this.timelineSet || this.status !== "ready") return;
    if (this.isFollowing) {
      if (!this.isAtEnd && excessOf([...this.shown(), "message"], "start") > 0) {
        // Somebody reads far above: nothing may move under their eyes, so the newest stays outside.
        this.isFollowing = false;
        this.settleEnds();
      } else {
        while (this.window.extend(EventTimeline.FORWARDS, TAKEN_IN_EVENTS));
        this.shed("start");
      }
    }
    this.reader.forget(event);
    this.onChange();
  }

  /** The server left something out: what is live now begins anew behind a gap. */
  startAnew(): void {
    if (this.isFollowing && this.isAtEnd) void this.load();
    else {
      this.isFollowing = false;
      this.settleEnds();
      this.onChange();
    }
  }

  snapshot(before: TimelineSnapshot | undefined): TimelineSnapshot {
    if (this.status !== "ready") return { ...EMPTY_TIMELINE, status: this.status };
    const events = this.isFollowing
      ? [...this.window.getEvents(), ...this.pending()]
      : this.window.getEvents();
    const entries: Entry[] = [];
    for (const event of events) {
      const entry = this.reader.read(event, this.timelineSet);
      if (entry) entries.push(entry);
    }
    const readUpTo = this.shownReadUpTo(events);
    const items = layOut(entries, before?.items ?? [], { readUpTo, dayOf });
    return {
      status: "ready",
      items: isSameList(before?.items, items) ? before.items : items,
      ...this.ends,
      focus: this.focus,
      hasUnreadBefore: this.readUpTo !== undefined && readUpTo === undefined && this.isUnread(),
    };
  }

  /** The newest event of the window that the server knows. */
  lastEvent(): MatrixEvent | undefined {
    return this.window.getEvents().findLast((event) => event.status === null && !event.isState());
  }

  /** Who has read up to which message: others only, each at the last one that shows a row. */
  readers(before: Readers | undefined): Readers {
    const source = this.timelineSet.thread ?? this.room;
    const own = this.client.getSafeUserId();
    const readers = new Map<string, readonly UserId[]>();
    let waiting: UserId[] = [];
    for (const event of this.window.getEvents().reverse()) {
      for (const { userId } of source.getReceiptsForEvent(event)) {
        if (userId !== own && !waiting.includes(asUserId(userId))) waiting.push(asUserId(userId));
      }
      const entry = waiting.length > 0 ? this.reader.read(event, this.timelineSet) : undefined;
      if (entry?.kind !== "message") continue;
      const { key } = entry.message;
      // Nobody is told that the author has read it.
      const shown = waiting.filter((userId) => userId !== entry.message.sender);
      const known = before?.get(key);
      if (shown.length > 0) readers.set(key, known && isShallowEqual(known, shown) ? known : shown);
      waiting = [];
    }
    return readers;
  }

  private isUnread(): boolean {
    return this.isFollowing && !this.timelineSet.thread && this.lastEvent()?.getId() !== this.readUpTo;
  }

  /** The read event itself may be one that shows no row: then the one shown before it stands in. */
  private shownReadUpTo(events: readonly MatrixEvent[]): EventId | undefined {
    if (this.readUpTo === undefined) return undefined;
    const at = events.findIndex((event) => event.getId() === this.readUpTo);
    for (let index = at; index >= 0; index--) {
      const event = events[index];
      if (event && this.reader.read(event, this.timelineSet)) return asEventId(event.getId() ?? "");
    }
    return undefined;
  }

  /** Events that are being sent into this timeline: a part of its end. */
  private pending(): readonly MatrixEvent[] {
    const threadId = this.timelineSet.thread?.id;
    return this.room
      .getPendingEvents()
      .filter((event) => (event.threadRootId ?? undefined) === threadId && !event.isRedaction());
  }

  private shed(end: "start" | "end"): void {
    const excess = excessOf(this.shown(), end);
    if (excess === 0) return;
    this.window.unpaginate(excess, end === "start");
    if (end === "end") this.isFollowing = false;
  }

  private shown(): Shown[] {
    return this.window.getEvents().map((event) => this.reader.read(event, this.timelineSet)?.kind);
  }

  private settleEnds(): void {
    const more = this.pages.isQuiet(this.shown()) ? "quiet" : "more";
    this.ends = {
      start: this.window.canPaginate(Direction.Backward) ? more : "end",
      end: this.isFollowing ? "end" : "more",
    };
  }

  /** The SDK's window listens to its room for ever: what is given along ends that. */
  private newWindow(): { readonly window: TimelineWindow; readonly stopListening: () => void } {
    const before = new Set(this.room.listeners(RoomEvent.Timeline));
    const window = new TimelineWindow(this.client, this.timelineSet, {
      windowLimit: Number.MAX_SAFE_INTEGER,
    });
    const added = this.room.listeners(RoomEvent.Timeline).filter((listener) => !before.has(listener));
    return {
      window,
      stopListening: () => {
        for (const listener of added) this.room.off(RoomEvent.Timeline, listener as () => void);
      },
    };
  }
}

const dayOf = (ts: number): string => new Date(ts).toDateString();

function isSameList(
  before: TimelineSnapshot["items"] | undefined,
  after: TimelineSnapshot["items"],
): before is TimelineSnapshot["items"] {
  return before?.length === after.length && before.every((item, index) => item === after[index]);
}
