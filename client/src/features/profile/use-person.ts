import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId, UserId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";
import type { Profile } from "~/matrix/profiles";

const NOTHING_YET: Profile = {
  name: undefined,
  avatarMxc: undefined,
  title: undefined,
  department: undefined,
  manager: undefined,
  phone: undefined,
  timeZone: undefined,
};

export interface Person {
  readonly userId: UserId;
  readonly name: string;
  readonly avatarMxc: string | undefined;
  readonly partnerServer: string | undefined;
  readonly isMe: boolean;
  readonly profile: Profile;
}

/** A person as their room knows them, with what their profile says beyond that. */
export function usePerson(userId: UserId, roomId?: RoomId): Person {
  const session = useSession();
  const member = useSlice(session.members.one, memberKey(roomId ?? NOWHERE, userId));
  const profile = useProfile(userId);
  // A member without a name of their own is shown by ID.
  const named = member.name === userId ? undefined : member.name;
  return {
    userId,
    name: named ?? profile.name ?? userId,
    avatarMxc: member.avatarMxc ?? profile.avatarMxc,
    partnerServer: member.partnerServer,
    isMe: userId === session.userId,
    profile,
  };
}

const NOWHERE = "" as RoomId;

const profileKey = (userId: UserId) => ["profile", userId] as const;

/** Somebody's profile; asked for anew unless what is known is younger than `freshMs`. */
export function useProfile(userId: UserId, { isWanted = true, freshMs = 0 } = {}): Profile {
  const { profiles } = useSession();
  const { data } = useQuery({
    queryKey: profileKey(userId),
    queryFn: () => profiles.load(userId),
    enabled: isWanted,
    staleTime: freshMs,
  });
  // Somebody without a profile is still somebody: the room's knowledge stands.
  return data ?? NOTHING_YET;
}

/** What somebody does in the company, for rows of a list: asked for once the row has stayed on the screen for a moment. */
export function useTitle(userId: UserId, isWanted: boolean): string {
  const [hasStayed, setHasStayed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setHasStayed(true), STAYS_MS);
    return () => clearTimeout(timer);
  }, []);
  const { title, department } = useProfile(userId, {
    isWanted: isWanted && hasStayed,
    freshMs: TITLE_FRESH_MS,
  });
  return title ?? department ?? "";
}

/** Whoever scrolls through thousands asks the server for none of them. */
const STAYS_MS = 400;
/** Titles change seldom, and rows come and go with each scroll. */
const TITLE_FRESH_MS = 300_000;

/** The channels that both are in, without servers and direct messages. */
export function useSharedRooms(userId: UserId): readonly RoomId[] {
  const { profiles, rooms } = useSession();
  const { data } = useQuery({
    queryKey: ["shared-rooms", userId],
    queryFn: () => profiles.sharedRooms(userId),
  });
  return (data ?? []).filter((id) => {
    const kind = rooms.summary(id)?.kind;
    return kind !== undefined && kind !== "space" && kind !== "direct";
  });
}
