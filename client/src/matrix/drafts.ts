import * as v from "valibot";
import type { SessionContext } from "./context";
import type { EventId, RoomId } from "./ids";
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
const StoredDrafts = v.record(v.string(), StoredDraft);

/** A name in a text that stands for somebody or for a channel: `label` as it is written, sign included. */
export type Mention = v.InferOutput<typeof StoredMention>;
/** A message that is not sent yet. */
export type Draft = v.InferOutput<typeof StoredDraft>;

export const EMPTY_DRAFT: Draft = { text: "", mentions: [] };

/** What was begun in rooms and threads, kept across reloads. */
export class Drafts {
  /** The rooms with something begun in them (threads included): one key, `"all"`. */
  readonly rooms: DerivedSlice<readonly RoomId[], "all">;
  private readonly drafts = new Map<string, Draft>();
  private readonly storedAs: string;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ client, changes, onClose }: SessionContext) {
    this.storedAs = `drafts:${client.getSafeUserId()}`;
    this.rooms = new DerivedSlice<readonly RoomId[], "all">(changes, () => [
      ...new Set([...this.drafts.keys()].map((key) => (key.split("|")[0] ?? "") as RoomId)),
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

  read(roomId: RoomId, threadId?: EventId): Draft {
    return this.drafts.get(keyOf(roomId, threadId)) ?? EMPTY_DRAFT;
  }

  write(roomId: RoomId, threadId: EventId | undefined, draft: Draft): void {
    const key = keyOf(roomId, threadId);
    const isEmpty = draft.text.trim() === "" && draft.replyTo === undefined;
    const had = this.drafts.has(key);
    if (isEmpty) this.drafts.delete(key);
    else this.drafts.set(key, draft);
    if (had === isEmpty) this.rooms.invalidate("all");
    if (isEmpty && !had) return;
    this.timer ??= setTimeout(() => this.save(), SAVED_AFTER_MS);
  }

  private async load(): Promise<void> {
    const stored = v.safeParse(StoredDrafts, await readValue(this.storedAs).catch(() => undefined));
    if (!stored.success) return;
    for (const [key, draft] of Object.entries(stored.output))
      if (!this.drafts.has(key)) this.drafts.set(key, draft);
    this.rooms.invalidate("all");
  }

  private save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    writeValueAtOnce(this.storedAs, Object.fromEntries(this.drafts));
  }
}

const keyOf = (roomId: RoomId, threadId?: EventId) => `${roomId}|${threadId ?? ""}`;
