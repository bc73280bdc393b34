import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button, IconButton } from "~/ui/button";
import { Switch, TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import styles from "./poll-dialog.module.css";

/** MSC3381 allows no more. */
const ANSWERS_MAX = 20;

interface PollDraft {
  readonly question: string;
  readonly answers: readonly string[];
  readonly selectionsMax: number;
}

/** Asks for a question and what can be answered. */
export function PollDialog({ onSend, onClose }: { onSend: (poll: PollDraft) => void; onClose: () => void }) {
  const { t } = useTranslation("composer");
  const [question, setQuestion] = useState("");
  const [answers, setAnswers] = useState([
    { id: 1, text: "" },
    { id: 2, text: "" },
  ]);
  const [isMultiple, setIsMultiple] = useState(false);
  const given = answers.map(({ text }) => text.trim()).filter(Boolean);
  const isComplete = question.trim() !== "" && given.length >= 2;

  function send() {
    onSend({ question: question.trim(), answers: given, selectionsMax: isMultiple ? given.length : 1 });
    onClose();
  }

  return (
    <FormDialog
      title={t("poll.title")}
      action={t("poll.ask")}
      canSubmit={isComplete}
      isPending={false}
      onSubmit={send}
      onClose={onClose}
    >
      <TextField
        label={t("poll.question")}
        value={question}
        onChange={setQuestion}
        autoFocus
        maxLength={340}
      />
      <ul aria-label={t("poll.answers")} className={styles.answers}>
        {answers.map(({ id, text }, index) => (
          <li key={id} className={styles.answer}>
            <TextField
              label={t("poll.answer", { number: index + 1 })}
              hidesLabel
              placeholder={t("poll.answer", { number: index + 1 })}
              value={text}
              maxLength={340}
              onChange={(next) =>
                setAnswers((all) => all.map((one) => (one.id === id ? { id, text: next } : one)))
              }
            />
            {answers.length > 2 && (
              <IconButton
                icon={X}
                label={t("poll.remove", { number: index + 1 })}
                onPress={() => setAnswers((all) => all.filter((one) => one.id !== id))}
              />
            )}
          </li>
        ))}
      </ul>
      {answers.length < ANSWERS_MAX && (
        <Button
          kind="quiet"
          icon={Plus}
          className={styles.add}
          onPress={() =>
            setAnswers((all) => [...all, { id: Math.max(0, ...all.map(({ id }) => id)) + 1, text: "" }])
          }
        >
          {t("poll.add")}
        </Button>
      )}
      <Switch label={t("poll.multiple")} isSelected={isMultiple} onChange={setIsMultiple} />
    </FormDialog>
  );
}
