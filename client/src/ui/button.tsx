import type { LucideIcon } from "lucide-react";
import type { ReactNode, Ref } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components/Button";
import { ToggleButton as AriaToggle, type ToggleButtonProps } from "react-aria-components/ToggleButton";
import styles from "./button.module.css";
import { cx } from "./cx";
import { WithTooltip } from "./tooltip";

type ButtonKind = "primary" | "plain" | "quiet" | "danger";

interface ButtonProps extends Omit<AriaButtonProps, "className" | "children"> {
  kind?: ButtonKind;
  ref?: Ref<HTMLButtonElement>;
  icon?: LucideIcon;
  className?: string | undefined;
  children: ReactNode;
}

/** A button with words. While `isPending`, it says so and cannot be pressed again. */
export function Button({ kind = "plain", icon: Icon, className, children, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} className={cx(styles.button, styles[kind], className)}>
      {Icon && <Icon size={16} strokeWidth={1.9} aria-hidden />}
      {children}
    </AriaButton>
  );
}

interface IconButtonProps extends Omit<AriaButtonProps, "className" | "children" | "aria-label"> {
  icon: LucideIcon;
  /** Its name for screen readers and its tooltip. */
  label: string;
  size?: "small" | "normal" | "large";
  isCurrent?: boolean;
  className?: string | undefined;
  children?: ReactNode;
}

/** A button with a picture; its label is said and shown as a tooltip. */
export function IconButton({
  icon: Icon,
  label,
  size = "normal",
  isCurrent,
  className,
  children,
  ...rest
}: IconButtonProps) {
  return (
    <WithTooltip text={label}>
      <AriaButton
        {...rest}
        aria-label={label}
        className={cx(styles.icon, styles[size], isCurrent && styles.current, className)}
      >
        <Icon size={size === "small" ? 15 : 18} strokeWidth={1.9} aria-hidden />
        {children}
      </AriaButton>
    </WithTooltip>
  );
}

interface IconToggleProps extends Omit<ToggleButtonProps, "className" | "children" | "aria-label"> {
  icon: LucideIcon;
  label: string;
  className?: string | undefined;
}

/** An icon button that is on or off (`aria-pressed`). */
export function IconToggle({ icon: Icon, label, className, ...rest }: IconToggleProps) {
  return (
    <WithTooltip text={label}>
      <AriaToggle
        {...rest}
        aria-label={label}
        className={cx(styles.icon, styles.normal, styles.toggle, className)}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
      </AriaToggle>
    </WithTooltip>
  );
}
