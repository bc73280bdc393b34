import {
  ArrowDown,
  ArrowUp,
  Bell,
  BellOff,
  BellRing,
  CheckCheck,
  CircleDot,
  Flag,
  Link as LinkIcon,
  LogOut,
  Settings,
  UserPlus,
} from "lucide-react";
import { askModeration } from "~/features/moderation";
import { useAttempt } from "~/hooks/act";
import { openDialog } from "~/hooks/dialogs";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { RoomLevel } from "~/matrix/push-choices";
import type { MenuEntry } from "~/ui/menu";
import { toast } from "~/ui/toast";

const LEVELS: readonly RoomLevel[] = ["default", "all", "mentions", "nothing"];

/** What one may do with a channel or direct message, for its menu. */
export function useChannelEntries(id: RoomId, serverId: RoomId | undefined): () => readonly MenuEntry[] {
  const { t } = useTranslation(["channels", "notifications"]);
  const { unread, permissions, spaces, pushRules } = useSession();
  const attempt = useAttempt();
  return () => {
    const now = unread.rooms.peek(id);
    const can = permissions.can(id);
    const entries: MenuEntry[] = [
      now.isUnread
        ? {
            id: "read",
            label: t("markRead"),
            icon: CheckCheck,
            onAction: () => attempt(() => unread.markRead(id)),
          }
        : {
            id: "unread",
            label: t("markUnread"),
            icon: CircleDot,
            onAction: () => attempt(() => unread.markUnread(id)),
          },
      {
        id: "mute",
        label: now.isMuted ? t("unmute") : t("mute"),
        icon: now.isMuted ? Bell : BellOff,
        onAction: () => attempt(() => pushRules.setRoom(id, now.isMuted ? "default" : "nothing")),
      },
      {
        id: "notify",
        label: t("notifyFor"),
        icon: BellRing,
        entries: LEVELS.map((level) => ({
          id: `notify-${level}`,
          label: t(`notifications:level.${level}`),
          ...(level === pushRules.rooms.peek(id).level ? { hint: "✓" } : {}),
          onAction: () => attempt(() => pushRules.setRoom(id, level)),
        })),
      },
      {
        id: "link",
        label: t("copyLink"),
        icon: LinkIcon,
        onAction: () =>
          attempt(async () => {
            await navigator.clipboard.writeText(`${window.location.origin}/room/${encodeURIComponent(id)}`);
            toast({ text: t("linkCopied") });
          }),
      },
    ];
    if (can.invite) {
      entries.push({
        id: "invite",
        label: t("invite"),
        icon: UserPlus,
        onAction: () => openDialog({ kind: "invite", roomId: id }),
      });
    }
    if (serverId && permissions.can(spaces.parentOf(serverId, id)).changeChannels) {
      const move = (by: -1 | 1) => attempt(() => spaces.moveChild(spaces.parentOf(serverId, id), id, by));
      entries.push(
        "separator",
        { id: "up", label: t("moveUp"), icon: ArrowUp, onAction: () => move(-1) },
        { id: "down", label: t("moveDown"), icon: ArrowDown, onAction: () => move(1) },
      );
    }
    entries.push(
      "separator",
      {
        id: "report",
        label: t("report"),
        icon: Flag,
        onAction: () => askModeration({ kind: "reportRoom", roomId: id }),
      },
      {
        id: "settings",
        label: t("settings"),
        icon: Settings,
        onAction: () => openDialog({ kind: "room-settings", roomId: id }),
      },
      {
        id: "leave",
        label: t("leave"),
        icon: LogOut,
        isDangerous: true,
        onAction: () => openDialog({ kind: "leave", roomId: id }),
      },
    );
    return entries;
  };
}
