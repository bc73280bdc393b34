/** What is known of a room when its unread marks are derived. */
export interface UnreadFacts {
  /** The server's counts: of the main timeline, and of all threads together (CS API § Receiving notifications). */
  readonly main: UnreadCounts;
  readonly threads: UnreadCounts;
  /** The newest event of the main timeline is this person's own, or has been seen: also by a receipt not yet sent. */
  readonly hasSeenNewest: boolean;
  /** There are messages of others after what has been read, whether the account wants to hear of them or not. */
  readonly hasNewMessages: boolean;
  /** This person set the room to silent. */
  readonly isMuted: boolean;
  /** This person asked to see it as unread (CS API § Unread markers). */
  readonly isMarked: boolean;
}

interface UnreadCounts {
  readonly total: number;
  readonly mentions: number;
}

export interface RoomUnread {
  /** Messages that the account wants to hear of. */
  readonly count: number;
  /** Those that name this person. */
  readonly mentions: number;
  /** Those of `count` that are in threads. */
  readonly threads: number;
  /** Whether its name stands out: something is new, and it is not muted. */
  readonly isUnread: boolean;
  readonly isMuted: boolean;
}

export const NOTHING_UNREAD: RoomUnread = {
  count: 0,
  mentions: 0,
  threads: 0,
  isUnread: false,
  isMuted: false,
};

/** The one rule behind all unread marks: rows, servers, the window's title. */
export function deriveUnread(facts: UnreadFacts): RoomUnread {
  const main = facts.hasSeenNewest ? { total: 0, mentions: 0 } : facts.main;
  const mentions = main.mentions + facts.threads.mentions;
  const count = Math.max(facts.isMuted ? mentions : main.total + facts.threads.total, mentions);
  const hasNew = facts.hasNewMessages && !facts.hasSeenNewest;
  return {
    count,
    mentions,
    threads: facts.isMuted ? facts.threads.mentions : facts.threads.total,
    isUnread: facts.isMarked || mentions > 0 || (!facts.isMuted && (count > 0 || hasNew)),
    isMuted: facts.isMuted,
  };
}

/** What a server, or everything, shows for the rooms in it. A muted room counts by its mentions alone. */
export function sumUnread(rooms: Iterable<RoomUnread>): RoomUnread {
  let sum = NOTHING_UNREAD;
  for (const room of rooms) {
    sum = {
      count: sum.count + room.count,
      mentions: sum.mentions + room.mentions,
      threads: sum.threads + room.threads,
      isUnread: sum.isUnread || room.isUnread,
      isMuted: false,
    };
  }
  return sum;
}
