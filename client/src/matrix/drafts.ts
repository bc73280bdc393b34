import * as v from "valibot";
import type { SessionContext } from "./context";
import { asEventId, asUserId, type EventId, type RoomId } from "./ids";
import { DerivedSlice } from "./slice";
import { readValue, writeValueAtOnce } from "./storage";

/** Fast typing costs one write. */
const SAVED_AFTER_MS = 300;

const StoredMention = v.object({
  label: v.string(),
  kind: v.picklist(["user", "channel"]),
  id: v.string(),
});
const StoredDraft = v.object({
  text: v.string(),
  mentions: v.array(StoredMention),
  replyTo: v.optional(v.string()),
});
const StoredEdit = v.object({
  before: v.object({
    eventId: v.pipe(v.string(), v.transform(asEventId)),
    body: v.string(),
    html: v.undefinedable(v.string()),
    msgtype: v.string(),
    mentions: v.object({
      userIds: v.pipe(v.array(v.pipe(v.string(), v.transform(asUserId))), v.readonly()),
      room: v.boolean(),
    }),
  }),
  draft: StoredDraft,
});
const StoredDrafts = v.record(v.string(), v.object({ ...StoredDraft.entries, edit: v.optional(StoredEdit) }));

/** A name in a text that stands for somebody or for a channel: `label` as it is written, sign included. */
export type Mention = v.InferOutput<typeof StoredMention>;
/** A message that is not sent yet. */
export type Draft = v.InferOutput<typeof StoredDraft>;

/** A message of one's own that is being changed: what it says, and what it is to say. */
type Edit = v.InferOutput<typeof StoredEdit>;
/** What was begun in a room or thread. A draft waits beside an edit untouched. */
export interface Begun {
  readonly draft: Draft;
  readonly edit: Edit | undefined;
}

const NOTHING_BEGUN: Begun = { draft: { text: "", mentions: [] }, edit: undefined };

export const isNothing = ({ draft, edit }: Begun): boolean =>
  edit === undefined && draft.text.trim() === "" && draft.replyTo === undefined;

/** What was begun in rooms and threads, kept across reloads until it is sent or the account signs out. */
export class Drafts {
  /** The rooms with something begun in them (threads included): one key, `"all"`. */
  readonly rooms: DerivedSlice<readonly RoomId[], "all">;
  private readonly begun = new Map<string, Begun>();
  private readonly storedAs: string;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ client, changes, onClose }: SessionContext) {
    this.storedAs = `drafts:${client.getSafeUserId()}`;
    this.rooms = new DerivedSlice<readonly RoomId[], "all">(changes, () => [
      ...new Set([...this.begun.keys()].map((key) => (key.split("|")[0] ?? "") as RoomId)),
    ]);
    const saveNow = () => {
      if (this.timer !== undefined) this.save();
    };
    window.addEventListener("pagehide", saveNow);
    onClose(() => {
      saveNow();
      window.removeEventListener("pagehide", saveNow);
    });
    this.isLoaded = this.load();
  }

  /** Settles when the stored drafts are here. */
  readonly isLoaded: Promise<void>;

  read(roomId: RoomId, threadId?: EventId): Begun {
    return this.begun.get(keyOf(roomId, threadId)) ?? NOTHING_BEGUN;
  }

  write(roomId: RoomId, threadId: EventId | undefined, begun: Begun): void {
    const key = keyOf(roomId, threadId);
    const isEmpty = isNothing(begun);
    const had = this.begun.has(key);
    if (isEmpty) this.begun.delete(key);
    else this.begun.set(key, begun);
    if (had === isEmpty) this.rooms.invalidate("all");
    if (isEmpty && !had) return;
    this.timer ??= setTimeout(() => this.save(), SAVED_AFTER_MS);
  }

  private async load(): Promise<void> {
    const stored = v.safeParse(StoredDrafts, await readValue(this.storedAs).catch(() => undefined));
    if (!stored.success) return;
    for (const [key, { edit, ...draft }] of Object.entries(stored.output))
      if (!this.begun.has(key)) this.begun.set(key, { draft, edit });
    this.rooms.invalidate("all");
  }

  private save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const stored = [...this.begun].map(([key, { draft, edit }]) => [key, edit ? { ...draft, edit } : draft]);
    writeValueAtOnce(this.storedAs, Object.fromEntries(stored));
  }
}

const keyOf = (roomId: RoomId, threadId?: EventId) => `${roomId}|${threadId ?? ""}`;
