import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "./button";
import { Dialog } from "./dialog";
import styles from "./form-dialog.module.css";
import { Notice } from "./marks";

interface FormDialogProps {
  title: string;
  size?: "small" | "normal" | "wide";
  /** The words of the button that sends it: "Make token", not "OK". */
  action: string;
  isDangerous?: boolean;
  /** Whether enough is filled in to send it; Enter sends nothing before. */
  canSubmit?: boolean;
  isPending: boolean;
  /** Why it was refused. */
  failure?: string | undefined;
  /** What stands in place of the form once it was sent, for what is shown only then; it closes by "Done". */
  result?: ReactNode;
  onSubmit: () => void;
  onClose: () => void;
  /** The fields. */
  children: ReactNode;
}

/**
 * A window with a form, its refusal and its two buttons. The result comes in the same window: two would lose the place of the focus
 * between them.
 */
export function FormDialog({
  title,
  size = "normal",
  action,
  isDangerous = false,
  canSubmit = true,
  isPending,
  failure,
  result,
  onSubmit,
  onClose,
  children,
}: FormDialogProps) {
  const { t } = useTranslation("ui");
  const formId = useId();
  const button = useRef<HTMLButtonElement>(null);
  const isDone = result !== undefined;
  // The field that was sent by Enter is gone with the form; in the same moment the button has the focus.
  useLayoutEffect(() => {
    if (isDone) button.current?.focus();
  }, [isDone]);
  return (
    <Dialog
      isOpen
      title={title}
      size={size}
      role={isDangerous && !isDone ? "alertdialog" : "dialog"}
      onClose={onClose}
      footer={
        <>
          {!isDone && (
            <Button key="cancel" kind="quiet" onPress={onClose}>
              {t("cancel")}
            </Button>
          )}
          <Button
            key="action"
            ref={button}
            kind={isDangerous && !isDone ? "danger" : "primary"}
            isDisabled={!canSubmit && !isDone}
            isPending={isPending && !isDone}
            {...(isDone ? { onPress: onClose } : { type: "submit", form: formId })}
          >
            {isDone ? t("done") : action}
          </Button>
        </>
      }
    >
      {isDone ? (
        result
      ) : (
        <form
          id={formId}
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            if (!isPending) onSubmit();
          }}
        >
          {failure && <Notice tone="danger">{failure}</Notice>}
          {children}
        </form>
      )}
    </Dialog>
  );
}
