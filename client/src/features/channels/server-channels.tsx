import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { VList } from "virtua";
import { useOpenRoomId } from "~/features/servers";
import { useSession, useSlice } from "~/hooks/session";
import { useShortcut } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { CategoryRow } from "./category-row";
import { ChannelRow } from "./channel-row";
import styles from "./channels.module.css";
import { toggleCollapsed, useCollapsed } from "./collapsed";
import { ListItem } from "./list-item";
import { OfferRow } from "./offer-row";
import { neighbourOf, OFFERS, type Row, rowsOf } from "./rows";

/** A server's categories and channels, and those of it that one could join. Only what is seen is in the document. */
export function ServerChannels({ serverId }: { serverId: RoomId }) {
  const { t } = useTranslation("channels");
  const { spaces, unread } = useSession();
  const open = useOpenRoomId();
  const categories = useSlice(spaces.categories, serverId);
  const offers = useOffers(serverId);
  const { ids } = useCollapsed();
  // What is new opens a folded category's line: the sum changes with it.
  const sum = useSlice(unread.sums, serverId);
  const rows = useMemo(
    () =>
      rowsOf({
        categories,
        offers,
        collapsed: new Set(ids),
        isKeptShown: (id) => (sum.isUnread && unread.rooms.read(id).isUnread ? true : id === open),
      }),
    [categories, offers, ids, sum, unread, open],
  );
  useChannelShortcuts(rows, open);
  return (
    <VList className={styles.list} role="list" item={ListItem} aria-label={t("list")}>
      {rows.map((row) => (
        <RowView key={row.key} row={row} serverId={serverId} />
      ))}
    </VList>
  );
}

function RowView({ row, serverId }: { row: Row; serverId: RoomId }) {
  const { t } = useTranslation("channels");
  switch (row.kind) {
    case "category":
      return (
        <CategoryRow
          serverId={serverId}
          id={row.category.id}
          name={row.category.name}
          isCollapsed={row.isCollapsed}
          onToggle={() => toggleCollapsed(row.key)}
        />
      );
    case "channel":
      return <ChannelRow id={row.id} serverId={serverId} />;
    case "offer-heading":
      return (
        <CategoryRow
          name={t("offers", { count: row.count })}
          isCollapsed={row.isCollapsed}
          onToggle={() => toggleCollapsed(OFFERS)}
        />
      );
    case "offer":
      return <OfferRow room={row.room} />;
  }
}

/** Asked anew when the server's channels change, and now and then. */
function useOffers(serverId: RoomId) {
  const { directory, spaces, rooms } = useSession();
  const categories = useSlice(spaces.categories, serverId);
  const joined = useSlice(rooms.lists, "joined");
  const { data } = useQuery({
    queryKey: ["offers", serverId, categories.length, joined.length],
    placeholderData: (before) => before,
    staleTime: 60_000,
    queryFn: () => directory.unjoined(serverId),
  });
  return useMemo(() => {
    const isJoined = new Set<string>(joined);
    return (data ?? []).filter(
      ({ id, kind, access }) => !isJoined.has(id) && kind !== "space" && access !== "invite",
    );
  }, [data, joined]);
}

function useChannelShortcuts(rows: readonly Row[], open: RoomId | undefined): void {
  const navigate = useNavigate();
  const { unread } = useSession();
  const channels = rows.flatMap((row) => (row.kind === "channel" ? [row.id] : []));
  const go = (by: -1 | 1, isWanted?: (id: RoomId) => boolean) => {
    const target = neighbourOf(channels, open, by, isWanted);
    if (target) void navigate({ to: "/room/$roomId", params: { roomId: target } });
  };
  const isUnread = (id: RoomId) => unread.rooms.peek(id).isUnread;
  useShortcut("previousChannel", () => go(-1));
  useShortcut("nextChannel", () => go(1));
  useShortcut("previousUnread", () => go(-1, isUnread));
  useShortcut("nextUnread", () => go(1, isUnread));
}
