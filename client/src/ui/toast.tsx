import X from "lucide-react/icons/x";
import { create } from "zustand";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "./cx";
import { NativeButton, NativeIconButton } from "./native";
import styles from "./toast.module.css";

interface Toast {
  text: string;
  tone?: "info" | "danger";
  action?: { label: string; onAction: () => void };
}

const SHOWN_MS = 6_000;
/** Older ones make room: nobody reads a tower of them. */
const SHOWN_MAX = 4;

interface ToastState {
  toasts: readonly (Toast & { id: number })[];
}

const useToasts = create<ToastState>()(() => ({ toasts: [] }));
let nextId = 1;

/** Shows words at the window's edge for some seconds; those with an action or of danger stay until dismissed. */
export function toast(message: Toast): void {
  const id = nextId++;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { ...message, id }].slice(-SHOWN_MAX) }));
  if (!message.action && message.tone !== "danger") setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));
}

/** The place where toasts appear; once, at the root. */
export function Toasts() {
  const { t } = useTranslation("ui");
  const { toasts } = useToasts();
  return (
    <section
      aria-label={t("messages")}
      aria-live="polite"
      // Windows over everything else hide it neither from screen readers nor from the mouse.
      data-react-aria-top-layer="true"
      className={styles.region}
    >
      {toasts.map(({ id, text, tone, action }) => (
        <div
          key={id}
          role={tone === "danger" ? "alert" : "status"}
          className={cx(styles.toast, tone === "danger" && styles.danger)}
        >
          <span className={styles.text}>{text}</span>
          {action && (
            <NativeButton
              kind="quiet"
              onPress={() => {
                dismiss(id);
                action.onAction();
              }}
            >
              {action.label}
            </NativeButton>
          )}
          <NativeIconButton icon={X} size="small" label={t("dismiss")} onPress={() => dismiss(id)} />
        </div>
      ))}
    </section>
  );
}
