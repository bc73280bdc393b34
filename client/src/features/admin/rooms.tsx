import { Globe, Lock, Volume2 } from "lucide-react";
import { useTranslation } from "~/i18n/use-translation";
import { Chip } from "~/ui/marks";
import { Select } from "~/ui/select";
import type { Column } from "~/ui/table";
import styles from "./admin.module.css";
import { FilterField } from "./filter-field";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { useAdminList } from "./queries";
import { RoomDrawer } from "./room-drawer";
import { pageOf, Room } from "./schemas";
import { useFilters } from "./search";

const ORDERS = ["members", "name", "newest"] as const;
type Order = (typeof ORDERS)[number];

export function RoomsPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { q, order, item, set } = useFilters();
  const sorted: Order = ORDERS.find((one) => one === order) ?? "members";
  const { list, rows, total } = useAdminList(pageOf(Room), "rooms", { search: q, order: sorted });
  const columns: Column<Room>[] = [
    { id: "name", title: t("room.name"), cell: (room) => <RoomCell room={room} /> },
    {
      id: "members",
      title: t("room.members"),
      isNumber: true,
      cell: (room) => format.count(room.joined_members),
    },
    {
      id: "local",
      title: t("room.local"),
      isNumber: true,
      isExtra: true,
      cell: (room) => format.count(room.joined_local_members),
    },
    { id: "marks", title: t("room.kind"), isExtra: true, cell: (room) => <RoomMarks room={room} /> },
  ];
  return (
    <ListPage
      title={t("page.rooms")}
      text={total === undefined ? "" : t("room.total", { count: total })}
      filters={
        <>
          <FilterField label={t("room.search")} />
          <Select
            label={t("room.order")}
            hidesLabel
            value={sorted}
            options={ORDERS.map((id) => ({ id, label: t(`roomOrder.${id}`) }))}
            onChange={(next) => set({ order: next })}
          />
        </>
      }
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ room_id }) => room_id}
      emptyTitle={t("room.none")}
      onOpen={(roomId) => set({ item: roomId })}
      openId={item}
      drawer={
        item?.startsWith("!") && (
          <RoomDrawer key={item} roomId={item} onClose={() => set({ item: undefined })} />
        )
      }
    />
  );
}

function RoomCell({ room }: { room: Room }) {
  const { t } = useTranslation("admin");
  const below = room.canonical_alias ?? room.room_id;
  return (
    <span className={styles.whoText}>
      <span>{room.name || room.canonical_alias || t("room.unnamed")}</span>
      <small>{below}</small>
    </span>
  );
}

export function RoomMarks({ room }: { room: Room }) {
  const { t } = useTranslation("admin");
  return (
    <span className={styles.marks}>
      {room.is_blocked && <Chip tone="live">{t("room.blocked")}</Chip>}
      {room.is_space && <Chip>{t("room.space")}</Chip>}
      {room.room_type?.includes("call") && (
        <Chip>
          <Volume2 size={11} aria-hidden />
          {t("room.voice")}
        </Chip>
      )}
      {room.is_encrypted && (
        <Chip tone="echo">
          <Lock size={11} aria-hidden />
          {t("room.encrypted")}
        </Chip>
      )}
      {room.is_public && (
        <Chip>
          <Globe size={11} aria-hidden />
          {t("room.public")}
        </Chip>
      )}
    </span>
  );
}
