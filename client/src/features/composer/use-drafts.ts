import { useSession, useSlice } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";

/** The rooms in which something was begun and not sent. */
export function useDrafts(): readonly RoomId[] {
  return useSlice(useSession().drafts.rooms, "all");
}
