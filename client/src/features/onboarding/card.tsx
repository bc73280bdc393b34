import { CircleCheck, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import styles from "./onboarding.module.css";

interface CardProps {
  icon: LucideIcon;
  title: string;
  text: string;
  isDone?: boolean;
  children?: ReactNode;
}

/** One step: what it is good for, and the way to do it. */
export function Card({ icon: Icon, title, text, isDone, children }: CardProps) {
  const { t } = useTranslation("onboarding");
  return (
    <section className={cx(styles.card, isDone && styles.isDone)} aria-label={title}>
      <span className={styles.sign} aria-hidden>
        <Icon size={22} strokeWidth={1.9} />
      </span>
      <div className={styles.content}>
        <h2 className={styles.cardTitle}>
          {title}
          {isDone && (
            <span className={styles.done}>
              <CircleCheck size={16} strokeWidth={2} aria-hidden />
              {t("done")}
            </span>
          )}
        </h2>
        <p className={styles.text}>{text}</p>
        {children}
      </div>
    </section>
  );
}
