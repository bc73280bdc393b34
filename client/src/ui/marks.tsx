import Globe from "lucide-react/icons/globe";
import type { ReactNode } from "react";
import { cx } from "./cx";
import styles from "./marks.module.css";

/** A count that needs somebody: mentions, invitations. Shows 99+ above that. */
export function Badge({ count, label }: { count: number; label?: string }) {
  if (count <= 0) return null;
  return (
    <span className={styles.badge}>
      <span aria-hidden={label !== undefined}>{count > 99 ? "99+" : count}</span>
      {label && <span className="sr-only">{label}</span>}
    </span>
  );
}

/** A small word beside a name. */
export function Chip({
  tone = "neutral",
  children,
}: {
  tone?: "neutral" | "echo" | "partner" | "live" | "ember";
  children: ReactNode;
}) {
  return <span className={cx(styles.chip, styles[tone])}>{children}</span>;
}

/** The mark of another company: its server's name behind a globe. */
export function PartnerChip({ server }: { server: string }) {
  return (
    <Chip tone="partner">
      <Globe size={11} strokeWidth={2} aria-hidden />
      {server}
    </Chip>
  );
}

/** Something is being fetched. */
export function Spinner({ label }: { label: string }) {
  return (
    <span role="status" className={styles.spinner}>
      <i aria-hidden />
      <span className="sr-only">{label}</span>
    </span>
  );
}

/** What stands where there is nothing yet, with what one can do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.emptyTitle}>{title}</p>
      {children}
    </div>
  );
}

/** Words about something that went wrong or needs attention, in place. */
export function Notice({
  tone = "info",
  children,
}: {
  tone?: "info" | "danger" | "ember";
  children: ReactNode;
}) {
  return (
    <div
      role={tone === "danger" ? "alert" : "status"}
      className={cx(styles.notice, styles[`notice-${tone}`])}
    >
      {children}
    </div>
  );
}
