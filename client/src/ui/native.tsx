import type { LucideIcon } from "lucide-react";
import { type ReactNode, useId } from "react";
import buttons from "./button.module.css";
import { cx } from "./cx";
import fields from "./field.module.css";

// The browser's own controls in our dress, for what is there before the session's code: the sign-in and the toasts. React
// Aria's, which do more, would cost whoever signs in a third of what they fetch.

interface NativeButtonProps {
  kind?: "primary" | "plain" | "quiet";
  type?: "button" | "submit";
  icon?: LucideIcon;
  /** Says so, and cannot be pressed again, but keeps the focus. */
  isPending?: boolean;
  onPress?: () => void;
  className?: string | undefined;
  children: ReactNode;
}

/** A button with words. */
export function NativeButton({
  kind = "plain",
  type = "button",
  icon: Icon,
  isPending = false,
  onPress,
  className,
  children,
}: NativeButtonProps) {
  return (
    <button
      type={type}
      aria-disabled={isPending || undefined}
      data-pending={isPending || undefined}
      onClick={isPending ? undefined : onPress}
      className={cx(buttons.button, buttons.native, buttons[kind], className)}
    >
      {Icon && <Icon size={16} strokeWidth={1.9} aria-hidden />}
      {children}
    </button>
  );
}

interface NativeIconButtonProps {
  icon: LucideIcon;
  /** Its name for screen readers, shown when the mouse rests on it. */
  label: string;
  size?: "small" | "normal";
  onPress: () => void;
}

/** A button with a picture. */
export function NativeIconButton({ icon: Icon, label, size = "normal", onPress }: NativeIconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onPress}
      className={cx(buttons.icon, buttons.native, buttons[size])}
    >
      <Icon size={size === "small" ? 15 : 18} strokeWidth={1.9} aria-hidden />
    </button>
  );
}

interface NativeTextFieldProps {
  label: string;
  value: string;
  /** May be missing where nothing can be typed. */
  onChange?: (value: string) => void;
  type?: "text" | "password";
  autoComplete: string;
  isReadOnly?: boolean;
  isRequired?: boolean;
  takesFocus?: boolean;
  after?: ReactNode;
}

/** A line of text with its label. What the browser misses it says itself. */
export function NativeTextField({
  label,
  value,
  onChange,
  type = "text",
  autoComplete,
  isReadOnly = false,
  isRequired = false,
  takesFocus = false,
  after,
}: NativeTextFieldProps) {
  const id = useId();
  return (
    <div className={fields.field}>
      <label htmlFor={id} className={fields.label}>
        {label}
      </label>
      <div className={fields.row}>
        <input
          id={id}
          type={type}
          value={value}
          onChange={(event) => onChange?.(event.currentTarget.value)}
          autoComplete={autoComplete}
          readOnly={isReadOnly}
          required={isRequired}
          // biome-ignore lint/a11y/noAutofocus: whoever opens the sign-in is about to type.
          autoFocus={takesFocus}
          className={cx(fields.input, fields.native)}
        />
        {after}
      </div>
    </div>
  );
}
