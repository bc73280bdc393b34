import { create } from "zustand";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";

/** The window over all others that is open; the shell shows it. */
export type OpenDialog =
  | { kind: "add-server"; address?: string }
  | { kind: "create-channel"; serverId: RoomId; parentId: RoomId; isCategory?: boolean }
  | { kind: "forward"; roomId: RoomId; message: Message }
  | { kind: "invite"; roomId: RoomId }
  | { kind: "leave"; roomId: RoomId }
  | { kind: "new-message" }
  | { kind: "prejoin"; roomId: RoomId }
  | { kind: "room-settings"; roomId: RoomId }
  | { kind: "shortcuts" }
  | { kind: "switcher" };

export const useDialogs = create<{ dialog: OpenDialog | undefined }>()(() => ({ dialog: undefined }));

export const openDialog = (dialog: OpenDialog): void => useDialogs.setState({ dialog });
export const closeDialog = (): void => useDialogs.setState({ dialog: undefined });
