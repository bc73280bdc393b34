/** Matrix identifiers as types of their own, so that one cannot stand where another belongs. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Branded<"UserId">;
export type RoomId = Branded<"RoomId">;
export type EventId = Branded<"EventId">;
export type DeviceId = Branded<"DeviceId">;

export const asUserId = (text: string): UserId => text as UserId;
export const asRoomId = (text: string): RoomId => text as RoomId;
export const asEventId = (text: string): EventId => text as EventId;
export const asDeviceId = (text: string): DeviceId => text as DeviceId;

/** The server part of an ID or alias; empty for IDs without one (room version 12). */
export function serverOf(id: string): string {
  const colon = id.indexOf(":");
  return colon < 0 ? "" : id.slice(colon + 1);
}

/** `@anna:example.org` → `anna`. */
export function localpartOf(id: string): string {
  const colon = id.indexOf(":");
  return id.slice(1, colon < 0 ? undefined : colon);
}
