import { useLocation, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { useSession, useSlice } from "~/hooks/session";
import { asRoomId, type RoomId } from "~/matrix/ids";

/** The server whose channels are shown; `undefined` for direct messages. */
export const useCurrentServer = create<{ serverId: RoomId | undefined }>()(() => ({ serverId: undefined }));

/** The channel that was open last in each server (`direct` for none), on this device. */
const useLastChannels = create<{ channels: Record<string, string> }>()(
  persist(() => ({ channels: {} }), { name: "echorift.last-channels" }),
);

/** The room that is open, by the address. */
export function useOpenRoomId(): RoomId | undefined {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const found = /^\/room\/([^/]+)/.exec(path)?.[1];
  return found ? asRoomId(decodeURIComponent(found)) : undefined;
}

/** Rail and channels follow the room that is open. Once, in the shell. */
export function useFollowOpenRoom(): void {
  const roomId = useOpenRoomId();
  const { spaces } = useSession();
  const { serverId } = useSlice(spaces.serverOf, roomId ?? asRoomId(""));
  useEffect(() => {
    if (!roomId) return;
    useCurrentServer.setState({ serverId });
    const { channels } = useLastChannels.getState();
    useLastChannels.setState({ channels: { ...channels, [serverId ?? "direct"]: roomId } });
  }, [roomId, serverId]);
}

/** Opens a server (or direct messages): its channels, and beside them the channel that was open last. */
export function useOpenServer(): (serverId: RoomId | undefined) => void {
  const { spaces, rooms } = useSession();
  const navigate = useNavigate();
  return useCallback(
    (serverId) => {
      useCurrentServer.setState({ serverId });
      // On a phone the list is a page of its own.
      if (window.matchMedia("(max-width: 760px)").matches) return void navigate({ to: "/" });
      const listed = serverId ? spaces.roomsBelow(serverId) : rooms.outside();
      const last = useLastChannels.getState().channels[serverId ?? "direct"];
      const target = listed.find((id) => id === last) ?? (serverId ? listed[0] : undefined);
      if (target) void navigate({ to: "/room/$roomId", params: { roomId: target } });
      else void navigate({ to: "/" });
    },
    [spaces, rooms, navigate],
  );
}

/** The channel that was open last, of any server. */
export function useLastRoomId(): RoomId | undefined {
  const { serverId } = useCurrentServer();
  const { channels } = useLastChannels();
  const last = channels[serverId ?? "direct"];
  return last ? asRoomId(last) : undefined;
}
