import type { RoomLevel } from "~/matrix/push-choices";

export type ServerLevel = RoomLevel | "mixed";

/** The level that all channels have, or that they differ. */
export function commonLevel(levels: readonly RoomLevel[]): ServerLevel {
  const [first = "default"] = levels;
  return levels.every((level) => level === first) ? first : "mixed";
}
