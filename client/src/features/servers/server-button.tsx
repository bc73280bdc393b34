import { ArrowDown, ArrowUp, CheckCheck, LogOut, Settings, UserPlus } from "lucide-react";
import { useAttempt } from "~/hooks/act";
import { useHasJoinableCall } from "~/hooks/calls";
import { openDialog } from "~/hooks/dialogs";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { useContextMenu } from "~/ui/context-menu";
import type { MenuEntry } from "~/ui/menu";
import { PlaceButton } from "./place-button";

interface ServerButtonProps {
  id: RoomId;
  place: number;
  isLast: boolean;
  isCurrent: boolean;
  onOpen: () => void;
  onDragStart: () => void;
}

/** A server in the rail: click opens it, drag or its menu moves it. */
export function ServerButton({ id, place, isLast, isCurrent, onOpen, onDragStart }: ServerButtonProps) {
  const { t } = useTranslation("servers");
  const server = useRoom(id);
  const hasCall = useHasJoinableCall(id);
  const unread = useSlice(useSession().unread.sums, id);
  const src = useMediaUrl(server?.avatarMxc, 46);
  const { handlers, menu } = useContextMenu(
    t("menuOf", { name: server?.name }),
    useEntries(id, place, isLast),
  );
  if (!server) return null;
  const states = [
    unread.mentions > 0 ? t("mentions", { count: unread.mentions }) : unread.isUnread && t("unread"),
    hasCall && t("call"),
    server.partnerServer && t("partner", { server: server.partnerServer }),
  ];
  return (
    <>
      <PlaceButton
        {...handlers}
        draggable
        label={server.name}
        state={states.filter(Boolean).join(", ")}
        isCurrent={isCurrent}
        isUnread={unread.isUnread}
        mentions={unread.mentions}
        hasCall={hasCall}
        onClick={onOpen}
        onDragStart={onDragStart}
      >
        <Avatar
          name={server.name}
          seed={id}
          src={src}
          shape="place"
          size={46}
          isPartner={server.partnerServer !== undefined}
        />
      </PlaceButton>
      {menu}
    </>
  );
}

function useEntries(id: RoomId, place: number, isLast: boolean): () => readonly MenuEntry[] {
  const { t } = useTranslation("servers");
  const { spaces, unread, permissions } = useSession();
  const attempt = useAttempt();
  return () => [
    {
      id: "read",
      label: t("markRead"),
      icon: CheckCheck,
      onAction: () => attempt(() => unread.markServerRead(id)),
    },
    ...(permissions.can(id).invite
      ? [
          {
            id: "invite",
            label: t("invite"),
            icon: UserPlus,
            onAction: () => openDialog({ kind: "invite", roomId: id }),
          },
        ]
      : []),
    "separator",
    {
      id: "up",
      label: t("moveUp"),
      icon: ArrowUp,
      isDisabled: place === 0,
      onAction: () => attempt(() => spaces.moveServer(id, place - 1)),
    },
    {
      id: "down",
      label: t("moveDown"),
      icon: ArrowDown,
      isDisabled: isLast,
      onAction: () => attempt(() => spaces.moveServer(id, place + 1)),
    },
    "separator",
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
  ];
}
