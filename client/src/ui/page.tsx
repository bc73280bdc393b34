import type { ReactNode } from "react";
import styles from "./page.module.css";

/** A page of settings: its title and its groups below each other. */
export function Page({ title, intro, children }: { title: string; intro?: string; children: ReactNode }) {
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{title}</h1>
      {intro && <p className={styles.intro}>{intro}</p>}
      {children}
    </div>
  );
}

/** Settings that belong together, on a card. */
export function Group({ title, hint, children }: { title?: string; hint?: string; children: ReactNode }) {
  return (
    <section className={styles.group} {...(title ? { "aria-label": title } : {})}>
      {title && <h2 className={styles.groupTitle}>{title}</h2>}
      {hint && <p className={styles.groupHint}>{hint}</p>}
      <div className={styles.card}>{children}</div>
    </section>
  );
}
