import { create } from "zustand";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";

type Question = "delete" | "report" | "history" | "source";

interface QuestionState {
  readonly asked: { readonly what: Question; readonly roomId: RoomId; readonly message: Message } | undefined;
}

/** The dialog about a message that stands open; one at a time. */
export const useQuestion = create<QuestionState>()(() => ({ asked: undefined }));

export function ask(what: Question, roomId: RoomId, message: Message): void {
  useQuestion.setState({ asked: { what, roomId, message } });
}

export const closeQuestion = (): void => useQuestion.setState({ asked: undefined });
