import { create } from "zustand";
import type { RoomId, UserId } from "~/matrix/ids";

/** What a moderator, or somebody who complains, is about to do and is asked about first. */
export type Question =
  | {
      readonly kind: "kick" | "ban" | "unban" | "deleteRecent";
      readonly roomId: RoomId;
      readonly userId: UserId;
    }
  | { readonly kind: "reportRoom"; readonly roomId: RoomId }
  | { readonly kind: "reportPerson"; readonly userId: UserId };

export const useQuestion = create<{ question: Question | undefined }>()(() => ({ question: undefined }));

export const ask = (question: Question): void => useQuestion.setState({ question });
export const closeQuestion = (): void => useQuestion.setState({ question: undefined });
