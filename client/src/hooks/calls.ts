import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { type Devices, listDevices, NO_DEVICES, watchDevices } from "~/calls/devices";
import { type CallSettings, callSettings } from "~/calls/settings";
import type { CallMember, CallStats, CurrentCall } from "~/calls/types";
import type { RoomId } from "~/matrix/ids";
import { useSession, useSlice } from "./session";

/** The call that this device is in. */
export function useCurrentCall(): CurrentCall | undefined {
  return useSlice(useSession().calls.current, "current").call;
}

/** Who is in the room's call, whether we are or not. */
export function useCallMembers(roomId: RoomId): readonly CallMember[] {
  return useSlice(useSession().calls.participants, roomId);
}

/** Whether a call is running below a server that this account is not in and could join. */
export function useHasJoinableCall(serverId: RoomId): boolean {
  const { calls, spaces } = useSession();
  const running = useSlice(calls.running, "rooms");
  const categories = useSlice(spaces.categories, serverId);
  const current = useCurrentCall()?.roomId;
  return categories.some(({ channels }) => channels.some((id) => id !== current && running.includes(id)));
}

export function useCallStats(): CallStats {
  return useSlice(useSession().calls.stats, "stats");
}

export function useCallSettings<T>(select: (settings: CallSettings) => T): T {
  return useStore(callSettings, select);
}

/** The devices of this machine; again when one is plugged in or `isAllowed` says that names may be told now. */
export function useDevices(isAllowed: boolean): Devices {
  const [devices, setDevices] = useState(NO_DEVICES);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with the permission the names come.
  useEffect(() => {
    let isGone = false;
    const look = async () => {
      const found = await listDevices();
      if (!isGone) setDevices(found);
    };
    void look();
    const stop = watchDevices(() => void look());
    return () => {
      isGone = true;
      stop();
    };
  }, [isAllowed]);
  return devices;
}

/** The time, told anew every second while `isRunning`. */
export function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}
