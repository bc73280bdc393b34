import {
  BarChart3,
  Bold,
  Code,
  Eye,
  Italic,
  Link,
  List,
  Mic,
  Paperclip,
  SendHorizontal,
  Smile,
} from "lucide-react";
import { type RefObject, useRef } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { EmojiPicker } from "~/features/emoji";
import { useShortcut } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import { IconButton, IconToggle } from "~/ui/button";
import styles from "./composer.module.css";
import { applyFormat } from "./editor";
import type { Format } from "./format";
import { canRecord } from "./recorder";

const FORMATS = [
  { kind: "bold", icon: Bold },
  { kind: "italic", icon: Italic },
  { kind: "code", icon: Code },
  { kind: "link", icon: Link },
  { kind: "list", icon: List },
] as const satisfies readonly { kind: Format; icon: typeof Bold }[];

interface ToolbarProps {
  field: RefObject<HTMLTextAreaElement | null>;
  canSend: boolean;
  isPreviewing: boolean;
  onPreview: (isOn: boolean) => void;
  onFiles: (files: readonly File[]) => void;
  onEmoji: (emoji: string) => void;
  onPoll: () => void;
  onRecord: () => void;
  onSend: () => void;
}

/** Below the text: attach, formats, emoji, send. */
export function Toolbar(props: ToolbarProps) {
  const { field, canSend, isPreviewing, onPreview, onFiles, onEmoji, onPoll, onRecord, onSend } = props;
  const { t } = useTranslation("composer");
  const files = useRef<HTMLInputElement>(null);
  useShortcut("upload", () => files.current?.click());
  return (
    <div className={styles.toolbar}>
      <IconButton icon={Paperclip} label={t("attach")} onPress={() => files.current?.click()} />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        data-composer-files
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file can be chosen again.
          event.target.value = "";
        }}
      />
      <span className={`${styles.separator} ${styles.optional}`} />
      {FORMATS.map(({ kind, icon }) => (
        <IconButton
          key={kind}
          icon={icon}
          label={t(`format.${kind}`)}
          isDisabled={isPreviewing}
          className={styles.optional}
          onPress={() => {
            if (field.current) applyFormat(field.current, kind);
          }}
        />
      ))}
      <span className={`${styles.separator} ${styles.optional}`} />
      <EmojiButton onEmoji={onEmoji} />
      <IconToggle
        icon={Eye}
        label={t("preview")}
        isSelected={isPreviewing}
        isDisabled={!canSend && !isPreviewing}
        className={styles.optional}
        onChange={onPreview}
      />
      <IconButton icon={BarChart3} label={t("poll.new")} className={styles.optional} onPress={onPoll} />
      {canRecord() && <IconButton icon={Mic} label={t("recordVoice")} onPress={onRecord} />}
      <span className={styles.space} />
      <span className={styles.hint}>{t("hint")}</span>
      <AriaButton
        aria-label={t("send")}
        isDisabled={!canSend}
        className={styles.send ?? ""}
        onPress={onSend}
        preventFocusOnPress
      >
        <SendHorizontal size={18} strokeWidth={1.9} aria-hidden />
      </AriaButton>
    </div>
  );
}

function EmojiButton({ onEmoji }: { onEmoji: (emoji: string) => void }) {
  const { t } = useTranslation("composer");
  return (
    <DialogTrigger>
      <IconButton icon={Smile} label={t("emoji")} />
      <Popover placement="top start" offset={8} className={styles.popover ?? ""}>
        <Dialog aria-label={t("emoji")}>
          {({ close }) => (
            <EmojiPicker
              onPick={(emoji) => {
                close();
                onEmoji(emoji);
              }}
            />
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
