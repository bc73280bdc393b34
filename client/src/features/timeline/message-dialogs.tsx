import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { type Message, textOfBody } from "~/matrix/timeline";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { Notice, Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { CodeBlock } from "./code-block";
import styles from "./message-dialogs.module.css";
import { closeQuestion, useQuestion } from "./store";
import { useSummary } from "./summary";
import { useMessageTimes } from "./times";

/** Dialogs about one message: delete, report, what it said before, how the server keeps it. */
export function MessageDialogs() {
  const { asked } = useQuestion();
  if (!asked) return null;
  const { what, roomId, message } = asked;
  switch (what) {
    case "delete":
      return <WithReason key={message.key} what="delete" roomId={roomId} message={message} />;
    case "report":
      return <WithReason key={message.key} what="report" roomId={roomId} message={message} />;
    case "history":
      return <History roomId={roomId} message={message} />;
    case "source":
      return <Source roomId={roomId} message={message} />;
  }
}

interface AboutMessage {
  roomId: RoomId;
  message: Message;
}

function WithReason({ what, roomId, message }: AboutMessage & { what: "delete" | "report" }) {
  const { t } = useTranslation("timeline");
  const { actions } = useSession();
  const summary = useSummary(message);
  const [reason, setReason] = useState("");
  const [state, setState] = useState<"open" | "pending" | "failed">("open");
  const isReport = what === "report";
  const confirm = async () => {
    setState("pending");
    try {
      if (isReport) await actions.report(roomId, message.eventId, reason);
      else await actions.redact(roomId, message.eventId, reason);
      closeQuestion();
      if (isReport) toast({ text: t("reported") });
    } catch {
      setState("failed");
    }
  };
  return (
    <FormDialog
      title={t(isReport ? "reportTitle" : "deleteTitle")}
      size="small"
      action={t(isReport ? "report" : "delete")}
      isDangerous
      isPending={state === "pending"}
      failure={state === "failed" ? t("actionFailed") : undefined}
      onSubmit={() => void confirm()}
      onClose={closeQuestion}
    >
      <p className={styles.quote}>{summary}</p>
      <p>{t(isReport ? "reportHint" : "deleteHint")}</p>
      <TextField
        label={t(isReport ? "reportReason" : "reasonOptional")}
        value={reason}
        onChange={setReason}
        autoFocus
      />
    </FormDialog>
  );
}

function History({ roomId, message }: AboutMessage) {
  const { t } = useTranslation("timeline");
  const { actions, userId } = useSession();
  const times = useMessageTimes();
  const { data, isError } = useQuery({
    queryKey: ["history", userId, message.eventId, message.editedTs],
    queryFn: () => actions.history(roomId, message.eventId),
  });
  return (
    <Dialog title={t("historyTitle")} isOpen onClose={closeQuestion}>
      {isError && <Notice tone="danger">{t("historyFailed")}</Notice>}
      {!data && !isError && <Spinner label={t("loading")} />}
      <ol className={styles.history}>
        {data?.map(({ ts, body }) => (
          <li key={ts}>
            <time className="num">{times.full(ts)}</time>
            <p className={styles.version}>{textOfBody(body)}</p>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

function Source({ roomId, message }: AboutMessage) {
  const { t } = useTranslation("timeline");
  const source = useSession().actions.source(roomId, message.eventId);
  return (
    <Dialog title={t("sourceTitle")} isOpen onClose={closeQuestion} size="wide">
      {source ? (
        <>
          <CodeBlock language="json" text={source.event} />
          {source.decrypted && (
            <>
              <h3 className={styles.part}>{t("sourceDecrypted")}</h3>
              <CodeBlock language="json" text={source.decrypted} />
            </>
          )}
        </>
      ) : (
        <Notice>{t("sourceMissing")}</Notice>
      )}
    </Dialog>
  );
}
