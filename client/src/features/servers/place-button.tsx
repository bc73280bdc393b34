import { Volume2 } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { cx } from "~/ui/cx";
import { Badge } from "~/ui/marks";
import styles from "./servers.module.css";

interface PlaceButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type"> {
  label: string;
  /** Said with the label: unread messages, mentions. */
  state: string;
  isCurrent: boolean;
  isUnread: boolean;
  mentions: number;
  /** Somebody is talking there. */
  hasCall?: boolean;
  children: ReactNode;
}

/** A place in the rail: a server, or direct messages. Its seam is the current one, its dot is unread. */
export function PlaceButton({
  label,
  state,
  isCurrent,
  isUnread,
  mentions,
  hasCall,
  className,
  children,
  ...rest
}: PlaceButtonProps) {
  return (
    <button
      {...rest}
      type="button"
      title={label}
      aria-label={state ? `${label}, ${state}` : label}
      aria-current={isCurrent ? "true" : undefined}
      className={cx(
        styles.item,
        isCurrent && styles.current,
        !isCurrent && isUnread && styles.unread,
        className,
      )}
    >
      {children}
      {hasCall && (
        <span className={styles.call} aria-hidden>
          <Volume2 size={12} strokeWidth={2.2} />
        </span>
      )}
      <span className={styles.badge} aria-hidden>
        <Badge count={mentions} />
      </span>
    </button>
  );
}
