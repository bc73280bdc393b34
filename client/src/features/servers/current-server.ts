import { create } from "zustand";
import type { RoomId } from "~/matrix/ids";

/** The server whose channels are shown; `undefined` for direct messages. */
export const useCurrentServer = create<{ serverId: RoomId | undefined }>()(() => ({ serverId: undefined }));
