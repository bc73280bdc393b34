import type { RoomId } from "~/matrix/ids";
import type { Call } from "./call";
import { callSettings } from "./settings";
import type { CurrentCall } from "./types";

/** The call that this device is in or about to enter, as views see it; until it is prepared, there is no `call`. */
export function describeCall(
  { roomId, joinedTs }: { readonly roomId: RoomId; readonly joinedTs: number },
  call: Call | undefined,
  offersLowBandwidth: boolean,
): CurrentCall {
  const settings = callSettings.getState();
  const isConnected = call?.isAnnounced === true;
  return {
    roomId,
    joinedTs,
    phase: !isConnected ? "connecting" : call.isReconnecting ? "reconnecting" : "connected",
    isMuted: call?.own.isMuted ?? true,
    microphoneHindrance: call?.own.microphoneHindrance,
    hasCamera: call?.own.hasCamera ?? false,
    cameraHindrance: call?.own.cameraHindrance,
    isSharing: call?.own.isSharing ?? false,
    maySpeak: call?.own.may("microphone") ?? true,
    mayShow: call?.own.may("camera") ?? true,
    mayShare: (call?.own.may("screen_share") ?? true) && "getDisplayMedia" in (navigator.mediaDevices ?? {}),
    isDeafened: call?.hearing.isDeafened ?? false,
    isPushToTalk: settings.pushToTalk,
    isLowBandwidth: settings.lowBandwidth,
    offersLowBandwidth: offersLowBandwidth && !settings.lowBandwidth,
    needsClick: isConnected && call.needsClick,
    unheard: call?.unheard ?? [],
    isEncrypted: call?.isEncrypted ?? false,
    watched: [...(call?.watched ?? [])],
    pinned: call?.pinned,
  };
}

export function isSameCall(a: CurrentCall | undefined, b: CurrentCall | undefined): boolean {
  if (!a || !b) return a === b;
  return (Object.keys(a) as (keyof CurrentCall)[]).every((name) =>
    name === "watched" || name === "unheard" ? a[name].join() === b[name].join() : a[name] === b[name],
  );
}
