import { type FormEvent, useState } from "react";
import { FileTrigger } from "react-aria-components/FileTrigger";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./encryption.module.css";
import { saveFile } from "./save-file";

type Failure = "damaged" | "wrong" | "failed";

/** The keys of messages as a file, out of this device or into it. */
export function KeyFileDialog({
  direction,
  onClose,
}: {
  direction: "export" | "import";
  onClose: () => void;
}) {
  const { t } = useTranslation("encryption");
  const { encryption } = useSession();
  const [passphrase, setPassphrase] = useState("");
  const [repeated, setRepeated] = useState("");
  const [file, setFile] = useState<File>();
  const [failure, setFailure] = useState<Failure>();
  const [isPending, setPending] = useState(false);
  const isExport = direction === "export";
  const differs = isExport && repeated !== "" && repeated !== passphrase;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isPending || differs || (!isExport && !file)) return;
    setPending(true);
    setFailure(undefined);
    try {
      if (isExport) saveFile(await encryption.exportKeys(passphrase), t("file.name"));
      else if (file) await encryption.importKeys(await file.text(), passphrase);
      toast({ text: t(isExport ? "file.exported" : "file.imported") });
      onClose();
    } catch (error) {
      const kind = error instanceof Error && "kind" in error ? error.kind : undefined;
      setFailure(kind === "damaged" || kind === "wrong" ? kind : "failed");
      setPending(false);
    }
  }

  return (
    <Dialog title={t(isExport ? "file.exportTitle" : "file.importTitle")} isOpen onClose={onClose}>
      <form className={styles.stack} onSubmit={submit}>
        <p>{t(isExport ? "file.exportText" : "file.importText")}</p>
        {failure && <Notice tone="danger">{t(`file.${failure}`)}</Notice>}
        {!isExport && (
          <div className={styles.buttons}>
            <FileTrigger acceptedFileTypes={["text/plain"]} onSelect={(files) => setFile(files?.[0])}>
              <Button>{t("file.choose")}</Button>
            </FileTrigger>
            <span>{file?.name}</span>
          </div>
        )}
        <TextField
          label={t("file.passphrase")}
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          autoComplete={isExport ? "new-password" : "off"}
          isRequired
        />
        {isExport && (
          <TextField
            label={t("file.repeat")}
            type="password"
            value={repeated}
            onChange={setRepeated}
            autoComplete="new-password"
            isRequired
            error={differs ? t("file.differs") : undefined}
          />
        )}
        <Button kind="primary" type="submit" isPending={isPending} isDisabled={!isExport && !file}>
          {t(isExport ? "file.export" : "file.import")}
        </Button>
      </form>
    </Dialog>
  );
}
