import { Globe, Hash, Lock, type LucideIcon, Megaphone, Volume2 } from "lucide-react";
import type { RoomSummary } from "~/matrix/rooms";

/** The picture that says what kind of channel it is. */
export function channelIcon(room: Pick<RoomSummary, "kind" | "access" | "partnerServer">): LucideIcon {
  if (room.kind === "voice") return Volume2;
  if (room.partnerServer) return Globe;
  if (room.kind === "announcement") return Megaphone;
  return room.access === "invite" || room.access === "knock" ? Lock : Hash;
}
