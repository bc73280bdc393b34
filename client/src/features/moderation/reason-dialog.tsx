import { useState } from "react";
import { useFailureText } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { memberKey } from "~/matrix/members";
import type { Session } from "~/matrix/session";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { toast } from "~/ui/toast";
import type { Question } from "./questions";

type ReasonQuestion = Exclude<Question, { kind: "deleteRecent" }>;

/** Asks for a reason and does it; what goes wrong is said in place, and can be tried again. */
export function ReasonDialog({ question, onClose }: { question: ReasonQuestion; onClose: () => void }) {
  const { t } = useTranslation("moderation");
  const session = useSession();
  const failureText = useFailureText();
  const [reason, setReason] = useState("");
  const [failure, setFailure] = useState<string>();
  const [isPending, setPending] = useState(false);
  const { kind } = question;
  const isReport = kind.startsWith("report");
  const names = namesIn(session, question);

  async function act() {
    if (isReport && reason.trim() === "") return;
    setPending(true);
    setFailure(undefined);
    try {
      await carryOut(session, question, reason.trim());
      toast({ text: t(`${kind}.done`, names) });
      onClose();
    } catch (error) {
      setFailure(failureText(error));
      setPending(false);
    }
  }

  return (
    <FormDialog
      title={t(`${kind}.title`, names)}
      size="small"
      action={t(`${kind}.action`)}
      isDangerous={!isReport && kind !== "unban"}
      isPending={isPending}
      failure={failure}
      onSubmit={() => void act()}
      onClose={onClose}
    >
      <p>{t(`${kind}.explanation`, names)}</p>
      {kind !== "unban" && (
        <TextField
          label={isReport ? t("why") : t("reason")}
          hint={isReport ? t("whyHint") : t("reasonHint")}
          isMultiline={isReport}
          isRequired={isReport}
          autoFocus
          value={reason}
          onChange={setReason}
        />
      )}
    </FormDialog>
  );
}

function namesIn({ members, rooms }: Session, question: ReasonQuestion): { name: string; channel: string } {
  const channel = "roomId" in question ? (rooms.summary(question.roomId)?.name ?? "") : "";
  if (!("userId" in question)) return { name: "", channel };
  if (!("roomId" in question)) return { name: question.userId, channel };
  return { name: members.one.peek(memberKey(question.roomId, question.userId)).name, channel };
}

async function carryOut({ moderation }: Session, question: ReasonQuestion, reason: string): Promise<void> {
  switch (question.kind) {
    case "kick":
      return moderation.kick(question.roomId, question.userId, reason);
    case "ban":
      return moderation.ban(question.roomId, question.userId, reason);
    case "unban":
      return moderation.unban(question.roomId, question.userId);
    case "reportRoom":
      return moderation.reportRoom(question.roomId, reason);
    case "reportPerson":
      return moderation.reportPerson(question.userId, reason);
  }
}
