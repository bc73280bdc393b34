import { EyeOff, FileText, Minimize2, RotateCcw, TextCursorInput, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button, IconButton, IconToggle } from "~/ui/button";
import { cx } from "~/ui/cx";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { formatBytes } from "./bytes";
import type { Attached, Tray } from "./tray";
import styles from "./upload-cards.module.css";

/** The attached files, each with how far it is. */
export function UploadCards({ tray }: { tray: Tray }) {
  const { t } = useTranslation("composer");
  const { files } = tray.store();
  if (files.length === 0) return null;
  return (
    <ul aria-label={t("files")} className={styles.cards}>
      {files.map((file) => (
        <UploadCard key={file.id} attached={file} tray={tray} />
      ))}
    </ul>
  );
}

function UploadCard({ attached, tray }: { attached: Attached; tray: Tray }) {
  const { t, i18n } = useTranslation("composer");
  const { id, file, previewUrl, status, progress, trouble, isSpoiler, isShrunk, isSending } = attached;
  const [isCaptioning, setIsCaptioning] = useState(false);
  const share = Math.round(progress * 100);
  return (
    <li className={styles.card}>
      <span className={cx(styles.picture, isSpoiler && styles.hidden)}>
        {previewUrl ? (
          <img src={previewUrl} alt="" draggable={false} />
        ) : (
          <FileText size={18} strokeWidth={1.9} aria-hidden />
        )}
      </span>
      <div className={styles.words}>
        <div className={styles.line}>
          <span className={styles.name} title={file.name}>
            {file.name}
          </span>
          <small className="num">
            {status === "uploading" ? `${share} %` : formatBytes(file.size, i18n.language)}
          </small>
        </div>
        {status === "failed" ? (
          <span role="alert" className={styles.trouble}>
            {t(`trouble.${trouble ?? "unreachable"}`)}
          </span>
        ) : status === "uploading" ? (
          <div
            role="progressbar"
            aria-label={t("uploading", { name: file.name })}
            aria-valuenow={share}
            aria-valuemin={0}
            aria-valuemax={100}
            className={styles.track}
          >
            <i style={{ "--share": progress }} />
          </div>
        ) : (
          <span className={styles.note}>
            {attached.caption || t(isSending ? "sendingFile" : "readyToSend")}
          </span>
        )}
      </div>
      {status === "failed" && trouble !== "tooLarge" && (
        <IconButton icon={RotateCcw} label={t("retryUpload")} size="small" onPress={() => tray.retry(id)} />
      )}
      {!isSending && status !== "failed" && (
        <>
          {attached.canShrink && (
            <IconToggle
              icon={Minimize2}
              label={t("smaller")}
              isSelected={isShrunk}
              className={styles.toggle}
              onChange={(on) => tray.shrink(id, on)}
            />
          )}
          <IconToggle
            icon={EyeOff}
            label={t("spoiler")}
            isSelected={isSpoiler}
            className={styles.toggle}
            onChange={(on) => tray.describe(id, { isSpoiler: on })}
          />
          <IconButton
            icon={TextCursorInput}
            label={t("caption")}
            size="small"
            onPress={() => setIsCaptioning(true)}
          />
        </>
      )}
      <IconButton
        icon={X}
        label={t(status === "uploading" ? "cancelUpload" : "removeFile", { name: file.name })}
        size="small"
        onPress={() => tray.remove(id)}
      />
      {isCaptioning && (
        <CaptionDialog attached={attached} tray={tray} onClose={() => setIsCaptioning(false)} />
      )}
    </li>
  );
}

function CaptionDialog(props: { attached: Attached; tray: Tray; onClose: () => void }) {
  const { attached, tray, onClose } = props;
  const { t } = useTranslation(["composer", "ui"]);
  const [caption, setCaption] = useState(attached.caption);
  const save = () => {
    tray.describe(attached.id, { caption });
    onClose();
  };
  return (
    <Dialog
      title={attached.file.name}
      isOpen
      onClose={onClose}
      size="small"
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("ui:cancel")}
          </Button>
          <Button kind="primary" onPress={save}>
            {t("ui:save")}
          </Button>
        </>
      }
    >
      <TextField
        label={t("caption")}
        hint={t("captionHint")}
        value={caption}
        autoFocus
        onChange={setCaption}
        onKeyDown={(event) => {
          if (event.key === "Enter") save();
        }}
      />
    </Dialog>
  );
}
