import { useNavigate } from "@tanstack/react-router";
import { useOpenRoomId } from "~/features/servers";
import { openDialog, useDialogs } from "~/hooks/dialogs";
import { useSession } from "~/hooks/session";
import { useShortcut } from "~/hooks/shortcuts";

/** The shortcuts that work everywhere behind the login. */
export function useGeneralShortcuts(): void {
  const navigate = useNavigate();
  const open = useOpenRoomId();
  const { unread } = useSession();
  useShortcut("switcher", () => openDialog({ kind: "switcher" }));
  useShortcut("shortcuts", () => openDialog({ kind: "shortcuts" }));
  useShortcut(
    "search",
    () => {
      if (open) void navigate({ to: "/room/$roomId", params: { roomId: open }, search: { panel: "search" } });
    },
    open !== undefined,
  );
  // Everything else that Escape closes is asked first, as it was mounted later.
  useShortcut(
    "markRead",
    (event) => {
      const isElsewhere = useDialogs.getState().dialog !== undefined || isInOverlay(event.target);
      if (isElsewhere || !open) return false;
      unread.markRead(open).catch(() => {});
      return true;
    },
    open !== undefined,
  );
}

/** Menus and windows close themselves. */
const isInOverlay = (target: EventTarget | null) =>
  target instanceof Element && target.closest('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
