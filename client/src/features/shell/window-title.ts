import { useEffect } from "react";
import { useOpenRoomId } from "~/features/servers";
import { useConfig } from "~/hooks/config";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { asRoomId } from "~/matrix/ids";
import { drawIcon } from "./tab-icon";
import { titleOf } from "./title";

/** The window's title and icon say where one is and what is unread. */
export function useWindowTitle(): void {
  const { brand } = useConfig();
  const room = useRoom(useOpenRoomId() ?? asRoomId(""));
  const { mentions, isUnread } = useSlice(useSession().unread.sums, "everything");
  useEffect(() => {
    document.title = titleOf({ place: room?.name, brand, mentions, isUnread });
  }, [room?.name, brand, mentions, isUnread]);
  useEffect(() => drawIcon(mentions > 0 ? "mention" : isUnread ? "unread" : "none"), [mentions, isUnread]);
}
