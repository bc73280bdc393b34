import * as v from "valibot";
import type { RoomId, UserId } from "./ids";
import { type OwnApi, part } from "./own-api";

const InRoom = v.object({ groups: v.array(v.object({ name: v.string(), people: v.number() })) });

const OfMember = v.object({
  is_member: v.boolean(),
  power_level: v.optional(v.number()),
  group: v.optional(v.string()),
});

/** A group of the company's directory, and of how many people in a room it decides. */
type DirectoryGroup = v.InferOutput<typeof InRoom>["groups"][number];

/** What the directory did about somebody in a room: `group` is absent if it did nothing. */
type DirectoryMark = v.InferOutput<typeof OfMember>;

/** The company's directory's part in a room (docs/directory.md § What members see). */
export async function directoryGroups(own: OwnApi, roomId: RoomId): Promise<readonly DirectoryGroup[]> {
  return (await own.get(InRoom, path(roomId))).groups;
}

export function directoryMark(own: OwnApi, roomId: RoomId, userId: UserId): Promise<DirectoryMark> {
  return own.get(OfMember, `${path(roomId)}/${part(userId)}`);
}

const path = (roomId: RoomId) => `v1/rooms/${part(roomId)}/directory`;
