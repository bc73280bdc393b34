import { Check, Copy } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "./button";
import field from "./field.module.css";
import styles from "./shown-once.module.css";

/** A secret that nobody can look up later: in full, and ready to be copied. */
export function ShownOnce({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation("ui");
  const id = useId();
  const [copied, setCopied] = useState<"done" | "failed">();
  const copy = () =>
    navigator.clipboard.writeText(value).then(
      () => setCopied("done"),
      () => setCopied("failed"),
    );
  return (
    <div className={field.field}>
      <p id={id} className={field.label}>
        {label}
      </p>
      <div className={styles.row}>
        <output aria-labelledby={id} className={styles.value}>
          {value}
        </output>
        <Button icon={copied === "done" ? Check : Copy} onPress={() => void copy()}>
          {t(copied === "done" ? "copied" : "copy")}
        </Button>
      </div>
      {copied === "failed" && (
        <p role="alert" className={field.error}>
          {t("copyFailed")}
        </p>
      )}
    </div>
  );
}
