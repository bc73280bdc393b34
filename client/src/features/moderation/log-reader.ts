import type { RoomId } from "~/matrix/ids";
import type { LogEntry } from "~/matrix/moderation-log";

type Pages = AsyncGenerator<readonly LogEntry[]>;

/** Pages of a room that are read in a row for one step: a quiet room's whole history is not walked for it. */
const PAGES_MAX = 5;

/** Merges the logs of several rooms, newest first, reading no further back than is asked for. */
export class LogReader {
  private readonly rooms: { pages: Pages | undefined; hasEnded: boolean }[];
  private entries: LogEntry[] = [];

  constructor(
    private readonly roomIds: readonly RoomId[],
    private readonly open: (roomId: RoomId, signal: AbortSignal) => Pages,
  ) {
    this.rooms = roomIds.map(() => ({ pages: undefined, hasEnded: false }));
  }

  /** The newest `count` entries: each room is read until it has given so many, or has no more. */
  async read(count: number, signal: AbortSignal): Promise<readonly LogEntry[]> {
    for (const [index, room] of this.rooms.entries()) {
      const roomId = this.roomIds[index];
      if (roomId === undefined) continue;
      room.pages ??= this.open(roomId, new AbortController().signal);
      for (let page = 0; page < PAGES_MAX && !room.hasEnded && this.countOf(roomId) < count; page++) {
        signal.throwIfAborted();
        const next = await room.pages.next();
        if (next.done) room.hasEnded = true;
        else this.entries.push(...next.value);
      }
    }
    this.entries.sort((a, b) => b.ts - a.ts);
    return this.entries.slice(0, count);
  }

  /** Whether there may be more than these. */
  hasMore(count: number): boolean {
    return this.entries.length > count || this.rooms.some(({ hasEnded }) => !hasEnded);
  }

  private countOf(roomId: RoomId): number {
    return this.entries.filter((entry) => entry.roomId === roomId).length;
  }
}
