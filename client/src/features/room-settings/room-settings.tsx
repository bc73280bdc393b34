import { useTranslation } from "react-i18next";
import { useRoom } from "~/hooks/rooms";
import type { RoomId } from "~/matrix/ids";
import { Dialog } from "~/ui/dialog";

/** The settings of a channel, category or server. */
export function RoomSettings({ roomId, onClose }: { roomId: RoomId; onClose: () => void }) {
  const { t } = useTranslation("room-settings");
  const room = useRoom(roomId);
  return (
    <Dialog isOpen size="wide" title={t("title", { name: room?.name })} onClose={onClose}>
      <p>{room?.topic}</p>
    </Dialog>
  );
}
