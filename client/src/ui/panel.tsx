import type { ReactNode } from "react";
import { cx } from "./cx";
import styles from "./panel.module.css";

interface PanelProps {
  /** Its name for screen readers and for F6. */
  label: string;
  /** How its content is laid out. */
  className?: string | undefined;
  children: ReactNode;
}

/** The pane in which a page stands, beside rail and channels; the whole width on a phone. */
export function Panel({ label, className, children }: PanelProps) {
  return (
    <main aria-label={label} data-region="" tabIndex={-1} className={cx(styles.panel, className)}>
      {children}
    </main>
  );
}
