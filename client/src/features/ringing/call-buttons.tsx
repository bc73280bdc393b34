import { Phone, Video } from "lucide-react";
import { useJoinVoice } from "~/features/voice";
import { useCurrentCall } from "~/hooks/calls";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";

/** In the header of a direct message: calls the other one. */
export function CallButtons({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("ringing");
  const { call, prepare } = useJoinVoice();
  const room = useRoom(roomId);
  const current = useCurrentCall();
  const other = room?.directWith;
  if (!other) return null;
  const isInside = current?.roomId === roomId;
  return (
    <>
      <IconButton
        icon={Phone}
        label={t("call")}
        isDisabled={isInside}
        onHoverStart={prepare}
        onPress={() => void call(roomId, other, false)}
      />
      <IconButton
        icon={Video}
        label={t("videoCall")}
        isDisabled={isInside}
        onHoverStart={prepare}
        onPress={() => void call(roomId, other, true)}
      />
    </>
  );
}
