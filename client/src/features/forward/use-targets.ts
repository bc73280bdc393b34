import { useState } from "react";
import { type Candidate, fold } from "~/features/switcher";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";

export interface Target extends Candidate {
  readonly id: RoomId;
  readonly name: string;
  /** The server it is in; empty for a conversation. */
  readonly detail: string;
}

/** The rooms that this account may write into, as they are when the dialog opens. */
export function useTargets(): readonly Target[] {
  const { rooms, spaces, permissions } = useSession();
  const [targets] = useState(() =>
    rooms.lists.read("joined").flatMap((id): Target[] => {
      const room = rooms.summary(id);
      if (!room || room.kind === "space" || !permissions.can(id).send) return [];
      const { serverId } = spaces.serverOf.read(id);
      const detail = serverId ? (rooms.summary(serverId)?.name ?? "") : "";
      const weight = room.kind === "direct" ? 0 : 1;
      return [
        { id, name: room.name, detail, text: fold(`${room.name} ${detail}`), lastTs: room.lastTs, weight },
      ];
    }),
  );
  return targets;
}
