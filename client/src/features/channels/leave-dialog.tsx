import { useNavigate } from "@tanstack/react-router";
import { useOpenRoomId } from "~/features/servers";
import { useAct } from "~/hooks/act";
import { usePermissions } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Confirm } from "~/ui/dialog";
import { Notice } from "~/ui/marks";

/** Asks before somebody leaves, and says what cannot be undone. */
export function LeaveDialog({ roomId, onClose }: { roomId: RoomId; onClose: () => void }) {
  const { t } = useTranslation("channels");
  const navigate = useNavigate();
  const { membership, spaces, permissions } = useSession();
  const room = useRoom(roomId);
  const can = usePermissions(roomId);
  const categories = useSlice(spaces.categories, roomId);
  const open = useOpenRoomId();
  const { isPending, error, run } = useAct();
  if (!room) return null;
  const isServer = room.kind === "space";
  const below = isServer ? categories.flatMap(({ id, channels }) => (id ? [...channels, id] : channels)) : [];
  const isLastWithPower = can.changeRoles && room.joinedCount > 1 && permissions.isOnlyKeeper(roomId);

  async function leave() {
    const isDone = await run(async () => {
      if (open && (open === roomId || below.includes(open))) await navigate({ to: "/" });
      await membership.leave(roomId, below);
    });
    if (isDone) onClose();
  }

  return (
    <Confirm
      isOpen
      isDangerous
      title={t("leaveTitle", { name: room.name })}
      action={t("leaveAction")}
      isPending={isPending}
      onConfirm={() => void leave()}
      onClose={onClose}
    >
      <p>{isServer ? t("leaveServerText", { count: below.length }) : t("leaveText")}</p>
      {room.access === "invite" && <p>{t("leavePrivate")}</p>}
      {isLastWithPower && <Notice tone="ember">{t("leaveLastAdmin")}</Notice>}
      {room.joinedCount === 1 && <Notice tone="ember">{t("leaveAlone")}</Notice>}
      {error && <Notice tone="danger">{error}</Notice>}
    </Confirm>
  );
}
