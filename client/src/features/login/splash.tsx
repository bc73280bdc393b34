import type { ReactNode } from "react";
import { cx } from "~/ui/cx";
import styles from "./login.module.css";

interface SplashProps {
  title: string;
  text?: string | undefined;
  /** What an administrator would ask for. */
  details?: string | undefined;
  /** Without the card: while nothing needs to be read. */
  isQuiet?: boolean;
  children?: ReactNode;
}

/** A whole page that says one thing and offers what can be done about it. */
export function Splash({ title, text, details, isQuiet, children }: SplashProps) {
  return (
    <main className={styles.screen}>
      <div className={cx(styles.card, isQuiet && styles.quiet)}>
        <Emblem />
        <h1 className={styles.title}>{title}</h1>
        {text && <p className={styles.text}>{text}</p>}
        {details && <p className={styles.details}>{details}</p>}
        <div className={styles.actions}>{children}</div>
      </div>
    </main>
  );
}

/** The sign with its echo. */
export function Emblem() {
  return (
    <span className={styles.emblem} aria-hidden>
      <img src="/icon.svg" alt="" width={64} height={64} />
    </span>
  );
}
