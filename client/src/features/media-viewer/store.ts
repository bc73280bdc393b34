import { create } from "zustand";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";

interface ViewerState {
  readonly open: { readonly roomId: RoomId; readonly message: Message } | undefined;
}

export const useViewer = create<ViewerState>()(() => ({ open: undefined }));

/** Opens a picture over everything else. */
export function openMedia(roomId: RoomId, message: Message): void {
  useViewer.setState({ open: { roomId, message } });
}

export const closeMedia = (): void => useViewer.setState({ open: undefined });
