import { type ReactNode, useState } from "react";
import { create } from "zustand";
import { useTranslation } from "~/i18n/use-translation";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { toast } from "~/ui/toast";

interface Act {
  title: string;
  text: ReactNode;
  /** The words of the button. */
  action: string;
  isDangerous?: boolean;
  /** One more field, for example a new password. */
  field?: { label: string; type?: "text" | "password"; isRequired?: boolean; hint?: string };
  /** Does it; gives the words that tell its success. */
  run: (told: { reason: string; field: string }) => Promise<string>;
}

const useAsked = create<{ asked: Act | undefined }>()(() => ({ asked: undefined }));

/** Asks before a write, with room for the reason that goes to the audit log. */
export const act = (asked: Act): void => useAsked.setState({ asked });

/** The dialog of `act`; once on the administration's screen. */
export function ActDialog() {
  const { asked } = useAsked();
  return asked ? <Asking key={asked.title} asked={asked} /> : null;
}

function Asking({ asked }: { asked: Act }) {
  const { t } = useTranslation("admin");
  const [reason, setReason] = useState("");
  const [field, setField] = useState("");
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<string>();
  const close = () => useAsked.setState({ asked: undefined });

  async function run() {
    setPending(true);
    setFailure(undefined);
    try {
      toast({ text: await asked.run({ reason: reason.trim(), field }) });
      close();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
      setPending(false);
    }
  }

  return (
    <FormDialog
      size="small"
      title={asked.title}
      action={asked.action}
      isDangerous={asked.isDangerous ?? false}
      isPending={isPending}
      failure={failure}
      onSubmit={() => void run()}
      onClose={close}
    >
      <div>{asked.text}</div>
      {asked.field && (
        <TextField
          label={asked.field.label}
          hint={asked.field.hint}
          type={asked.field.type ?? "text"}
          isRequired={asked.field.isRequired ?? false}
          autoComplete="off"
          value={field}
          onChange={setField}
          autoFocus
        />
      )}
      <TextField
        label={t("act.reason")}
        hint={t("act.reasonHint")}
        value={reason}
        onChange={setReason}
        autoFocus={asked.field === undefined}
      />
    </FormDialog>
  );
}

/** The body of a write with its reason, if one was given. */
export const withReason = (reason: string, body: Record<string, unknown> = {}) =>
  reason ? { ...body, reason } : body;
