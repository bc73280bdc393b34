import { Check, Copy, Download } from "lucide-react";
import { useState } from "react";
import { useConfig } from "~/hooks/config";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import styles from "./encryption.module.css";
import { saveFile } from "./save-file";

/** A recovery key to be put away: copied or downloaded, then forgotten here. */
export function RecoveryKey({ recoveryKey, onSaved }: { recoveryKey: string; onSaved?: () => void }) {
  const { t } = useTranslation("encryption");
  const { encryption, userId } = useSession();
  const { brand } = useConfig();
  const [isTaken, setTaken] = useState(false);
  const [copied, setCopied] = useState<"done" | "failed">();

  async function copy() {
    try {
      await navigator.clipboard.writeText(recoveryKey);
      setCopied("done");
      setTaken(true);
    } catch {
      setCopied("failed");
    }
  }

  function download() {
    const text = t("key.file", { brand, userId, key: recoveryKey });
    saveFile(text, t("key.fileName", { brand: brand.toLowerCase().replace(/\W+/g, "-") }));
    setTaken(true);
  }

  return (
    <div className={styles.key}>
      <output className={styles.keyText} aria-label={t("key.label")}>
        {recoveryKey}
      </output>
      {copied === "failed" && <Notice tone="danger">{t("key.copyFailed")}</Notice>}
      <div className={styles.buttons}>
        <Button icon={copied === "done" ? Check : Copy} onPress={() => void copy()}>
          {t(copied === "done" ? "key.copied" : "key.copy")}
        </Button>
        <Button icon={Download} onPress={download}>
          {t("key.download")}
        </Button>
        <Button
          kind="primary"
          isDisabled={!isTaken}
          onPress={() => {
            void encryption.keySaved();
            onSaved?.();
          }}
        >
          {t("key.saved")}
        </Button>
      </div>
    </div>
  );
}
