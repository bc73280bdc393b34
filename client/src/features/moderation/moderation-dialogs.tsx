import { DeleteRecentDialog } from "./delete-recent-dialog";
import { closeQuestion, useQuestion } from "./questions";
import { ReasonDialog } from "./reason-dialog";

/** The dialog of the moderation that somebody is about to do; once, in the shell. */
export function ModerationDialogs() {
  const { question } = useQuestion();
  if (!question) return null;
  if (question.kind === "deleteRecent") {
    return <DeleteRecentDialog roomId={question.roomId} userId={question.userId} onClose={closeQuestion} />;
  }
  return <ReasonDialog question={question} onClose={closeQuestion} />;
}
