import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components/Modal";
import { useTranslation } from "~/i18n/use-translation";
import { Button, IconButton } from "./button";
import { cx } from "./cx";
import styles from "./dialog.module.css";
import { useEscape } from "./escape";

interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  size?: "small" | "normal" | "wide";
  /** `alertdialog` interrupts: for what destroys something. */
  role?: "dialog" | "alertdialog";
  children: ReactNode;
  /** The buttons at its foot. */
  footer?: ReactNode;
}

/** A window over all others; Escape and a click outside close it, and focus goes back to where it was. */
export function Dialog({
  title,
  isOpen,
  onClose,
  size = "normal",
  role = "dialog",
  children,
  footer,
}: DialogProps) {
  const { t } = useTranslation("ui");
  useEscape(isOpen, onClose);
  return (
    <ModalOverlay
      isDismissable
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      className={styles.scrim ?? ""}
    >
      <Modal className={cx(styles.modal, styles[size])}>
        <AriaDialog role={role} className={styles.dialog ?? ""}>
          <header className={styles.header}>
            <Heading slot="title" level={2} className={styles.title ?? ""}>
              {title}
            </Heading>
            <IconButton icon={X} label={t("close")} size="small" onPress={onClose} />
          </header>
          <div className={styles.body}>{children}</div>
          {footer && <footer className={styles.footer}>{footer}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ConfirmProps {
  title: string;
  isOpen: boolean;
  /** The words of the button that does it: "Delete", not "OK". */
  action: string;
  isDangerous?: boolean;
  isPending?: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something is done. */
export function Confirm({
  title,
  isOpen,
  action,
  isDangerous,
  isPending,
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  const { t } = useTranslation("ui");
  return (
    <Dialog
      title={title}
      isOpen={isOpen}
      onClose={onClose}
      size="small"
      role={isDangerous ? "alertdialog" : "dialog"}
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("cancel")}
          </Button>
          <Button
            kind={isDangerous ? "danger" : "primary"}
            isPending={isPending ?? false}
            onPress={onConfirm}
          >
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
