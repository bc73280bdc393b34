export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface Devices {
  readonly microphones: readonly Device[];
  readonly cameras: readonly Device[];
  readonly speakers: readonly Device[];
}

export const NO_DEVICES: Devices = { microphones: [], cameras: [], speakers: [] };

/** The devices of this machine. Without permission browsers tell no names: then there is nothing to choose from yet. */
export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind): Device[] =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default")
      .map(({ deviceId, label }) => ({ id: deviceId, label: label || deviceId.slice(0, 8) }));
  return { microphones: of("audioinput"), cameras: of("videoinput"), speakers: of("audiooutput") };
}

/** Tells when something is plugged in or out. */
export function watchDevices(onChange: () => void): () => void {
  navigator.mediaDevices?.addEventListener?.("devicechange", onChange);
  return () => navigator.mediaDevices?.removeEventListener?.("devicechange", onChange);
}
