import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId, UserId } from "~/matrix/ids";

/** In which voice channel of the room's server somebody is, by its name. */
export function useWhereabouts(roomId: RoomId): ReadonlyMap<UserId, string> {
  const { calls, rooms, spaces } = useSession();
  const { serverId } = useSlice(spaces.serverOf, roomId);
  const voiceRooms = useVoiceRooms(serverId);
  const watch = useCallback(
    (onChange: () => void) => {
      const stops = voiceRooms.map((id) => calls.participants.watch(id, onChange));
      return () => {
        for (const stop of stops) stop();
      };
    },
    [calls, voiceRooms],
  );
  // One text for all of them: it is the same as long as nobody came or went, whatever else changed of them.
  const seen = useSyncExternalStore(watch, () =>
    JSON.stringify(
      voiceRooms.flatMap((id) => {
        const name = rooms.summary(id)?.name ?? "";
        return calls.participants.read(id).map(({ userId }) => [userId, name]);
      }),
    ),
  );
  return useMemo(() => new Map(JSON.parse(seen) as [UserId, string][]), [seen]);
}

function useVoiceRooms(serverId: RoomId | undefined): readonly RoomId[] {
  const { rooms, spaces } = useSession();
  const categories = useSlice(spaces.categories, serverId ?? NOWHERE);
  return useMemo(
    () => categories.flatMap(({ channels }) => channels).filter((id) => rooms.summary(id)?.kind === "voice"),
    [categories, rooms],
  );
}

const NOWHERE = "" as RoomId;
