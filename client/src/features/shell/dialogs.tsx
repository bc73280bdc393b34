import { lazy, Suspense } from "react";
import { CreateChannelDialog, LeaveDialog } from "~/features/channels";
import { InviteDialog, NewMessageDialog } from "~/features/invites";
import { AddServerDialog } from "~/features/servers";
import { closeDialog, type OpenDialog, useDialogs } from "~/hooks/dialogs";
import { ShortcutsDialog } from "./shortcuts-dialog";

const Switcher = lazy(() => import("~/features/switcher").then((all) => ({ default: all.Switcher })));
const ForwardDialog = lazy(() =>
  import("~/features/forward").then((all) => ({ default: all.ForwardDialog })),
);
const PrejoinDialog = lazy(() =>
  import("~/features/prejoin").then((all) => ({ default: all.PrejoinDialog })),
);
const RoomSettings = lazy(() =>
  import("~/features/room-settings").then((all) => ({ default: all.RoomSettings })),
);

/** The one window over all others. */
export function Dialogs() {
  const { dialog } = useDialogs();
  return dialog && <Suspense>{show(dialog)}</Suspense>;
}

function show(dialog: OpenDialog) {
  switch (dialog.kind) {
    case "add-server":
      return <AddServerDialog address={dialog.address} onClose={closeDialog} />;
    case "create-channel":
      return (
        <CreateChannelDialog
          serverId={dialog.serverId}
          parentId={dialog.parentId}
          isCategory={dialog.isCategory}
          onClose={closeDialog}
        />
      );
    case "forward":
      return <ForwardDialog roomId={dialog.roomId} message={dialog.message} onClose={closeDialog} />;
    case "invite":
      return <InviteDialog roomId={dialog.roomId} onClose={closeDialog} />;
    case "leave":
      return <LeaveDialog roomId={dialog.roomId} onClose={closeDialog} />;
    case "new-message":
      return <NewMessageDialog onClose={closeDialog} />;
    case "prejoin":
      return <PrejoinDialog roomId={dialog.roomId} onClose={closeDialog} />;
    case "room-settings":
      return <RoomSettings roomId={dialog.roomId} onClose={closeDialog} />;
    case "shortcuts":
      return <ShortcutsDialog onClose={closeDialog} />;
    case "switcher":
      return <Switcher onClose={closeDialog} />;
  }
}
