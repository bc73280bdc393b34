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

export interface ModerationQuestions {
  kick: (userId: UserId) => void;
  ban: (userId: UserId) => void;
  unban: (userId: UserId) => void;
  /** What they wrote in the last 24 hours. */
  deleteRecent: (userId: UserId) => void;
  reportRoom: () => void;
  reportPerson: (userId: UserId) => void;
}

/** Acts of moderation in a room. Each asks first, in a dialog of the shell; who may not do it is not offered it. */
export function useModeration(roomId: RoomId): ModerationQuestions {
  return {
    kick: (userId) => ask({ kind: "kick", roomId, userId }),
    ban: (userId) => ask({ kind: "ban", roomId, userId }),
    unban: (userId) => ask({ kind: "unban", roomId, userId }),
    deleteRecent: (userId) => ask({ kind: "deleteRecent", roomId, userId }),
    reportRoom: () => ask({ kind: "reportRoom", roomId }),
    reportPerson: (userId) => ask({ kind: "reportPerson", userId }),
  };
}
