import { Bell, BellOff, BellRing } from "lucide-react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { RoomLevel } from "~/matrix/push-choices";
import { IconButton } from "~/ui/button";
import { Menu, type MenuEntry } from "~/ui/menu";
import { toast } from "~/ui/toast";

const LEVELS: readonly RoomLevel[] = ["default", "all", "mentions", "nothing"];

/** The levels of a channel with their names. */
export function useLevels(): readonly { id: RoomLevel; label: string }[] {
  const { t } = useTranslation("notifications");
  return LEVELS.map((id) => ({ id, label: t(`level.${id}`) }));
}

/** Entries for the menu of a channel: how much one hears of it, the current level marked. */
function useRoomNotificationEntries(roomId: RoomId): readonly MenuEntry[] {
  const { t } = useTranslation("notifications");
  const { pushRules } = useSession();
  const { level: current } = useSlice(pushRules.rooms, roomId);
  return useLevels().map(({ id, label }) => ({
    id: `notify-${id}`,
    label,
    ...(id === current ? { hint: "✓" } : {}),
    onAction: () =>
      void pushRules.setRoom(roomId, id).catch(() => toast({ text: t("notChanged"), tone: "danger" })),
  }));
}

/** A bell in the channel's header that opens these entries. */
export function RoomNotificationMenu({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("notifications");
  const { level } = useSlice(useSession().pushRules.rooms, roomId);
  const entries = useRoomNotificationEntries(roomId);
  const icon = level === "nothing" ? BellOff : level === "all" ? BellRing : Bell;
  return (
    <Menu label={t("ofChannel")} entries={entries}>
      <IconButton icon={icon} label={t("ofChannelNow", { level: t(`level.${level}`) })} />
    </Menu>
  );
}
