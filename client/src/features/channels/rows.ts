import type { FoundRoom } from "~/matrix/hierarchy";
import type { RoomId } from "~/matrix/ids";
import type { Category } from "~/matrix/spaces";

/** One line of the channel list. */
export type Row =
  | {
      readonly kind: "category";
      readonly key: string;
      readonly category: Category;
      readonly isCollapsed: boolean;
    }
  | { readonly kind: "channel"; readonly key: string; readonly id: RoomId }
  | {
      readonly kind: "offer-heading";
      readonly key: string;
      readonly count: number;
      readonly isCollapsed: boolean;
    }
  | { readonly kind: "offer"; readonly key: string; readonly room: FoundRoom };

/** The key under which the channels that one could join are collapsed. */
export const OFFERS = "offers";

interface RowsInput {
  readonly categories: readonly Category[];
  readonly offers: readonly FoundRoom[];
  readonly collapsed: ReadonlySet<string>;
  /** Shown in collapsed categories all the same: the open channel, and those with something new. */
  readonly isKeptShown: (id: RoomId) => boolean;
}

/** The lines of a server's channel list, in order. */
export function rowsOf({ categories, offers, collapsed, isKeptShown }: RowsInput): readonly Row[] {
  const rows: Row[] = [];
  for (const category of categories) {
    const isCollapsed = category.id !== undefined && collapsed.has(category.id);
    if (category.id) rows.push({ kind: "category", key: category.id, category, isCollapsed });
    const shown = isCollapsed ? category.channels.filter(isKeptShown) : category.channels;
    // A room may be in several categories.
    for (const id of shown) rows.push({ kind: "channel", key: `${category.id ?? ""}|${id}`, id });
  }
  if (offers.length === 0) return rows;
  const isCollapsed = collapsed.has(OFFERS);
  rows.push({ kind: "offer-heading", key: OFFERS, count: offers.length, isCollapsed });
  if (!isCollapsed) for (const room of offers) rows.push({ kind: "offer", key: `offer|${room.id}`, room });
  return rows;
}

/** The channel before or after the open one in a list; with none open, the first or last. */
export function neighbourOf<Id>(
  list: readonly Id[],
  open: Id | undefined,
  by: -1 | 1,
  isWanted: (id: Id) => boolean = () => true,
): Id | undefined {
  const start = open === undefined ? -1 : list.indexOf(open);
  const from = start < 0 ? (by > 0 ? 0 : list.length - 1) : start + by;
  for (let place = from; place >= 0 && place < list.length; place += by) {
    const id = list[place];
    if (id !== undefined && id !== open && isWanted(id)) return id;
  }
  return undefined;
}
