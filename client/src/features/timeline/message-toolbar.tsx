import { Ellipsis, MessageSquareText, Reply, SmilePlus } from "lucide-react";
import { MenuTrigger } from "react-aria-components/Menu";
import { frequentEmoji } from "~/features/emoji";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";
import { IconButton } from "~/ui/button";
import { MenuSurface } from "~/ui/menu";
import { EmojiButton } from "./emoji-button";
import { type MessageActs, useMessageMenu } from "./message-actions";
import styles from "./message-toolbar.module.css";
import { useReact } from "./use-react";

export type Opened = "menu" | "emoji" | undefined;

const QUICK = 2;

/** What a message offers on hover and focus. While one of its parts is open, it stays. */
export function MessageToolbar({
  roomId,
  message,
  acts,
  opened,
  onOpen,
}: {
  roomId: RoomId;
  message: Message;
  acts: MessageActs;
  opened: Opened;
  onOpen: (opened: Opened) => void;
}) {
  const { t } = useTranslation("timeline");
  const react = useReact(roomId, message);
  const entries = useMessageMenu(message, acts, roomId);
  return (
    <div role="toolbar" aria-label={t("actions")} className={styles.toolbar}>
      {acts.mayReact &&
        frequentEmoji(QUICK).map((emoji) => (
          <button
            key={emoji}
            type="button"
            aria-label={t("reactWith", { emoji })}
            className={styles.button}
            onClick={() => react(emoji)}
          >
            {emoji}
          </button>
        ))}
      {acts.mayReact && (
        <EmojiButton
          label={t("moreReactions")}
          className={styles.button}
          isOpen={opened === "emoji"}
          onOpenChange={(isOpen) => onOpen(isOpen ? "emoji" : undefined)}
          onPick={react}
        >
          <SmilePlus size={18} strokeWidth={1.9} aria-hidden />
        </EmojiButton>
      )}
      {acts.reply && (
        <IconButton icon={Reply} label={t("act.reply")} onPress={acts.reply} className={styles.button} />
      )}
      {acts.thread && (
        <IconButton
          icon={MessageSquareText}
          label={t("act.thread")}
          onPress={acts.thread}
          className={styles.button}
        />
      )}
      <MenuTrigger isOpen={opened === "menu"} onOpenChange={(isOpen) => onOpen(isOpen ? "menu" : undefined)}>
        <IconButton icon={Ellipsis} label={t("moreActions")} className={styles.button} />
        <MenuSurface label={t("actions")} entries={entries} />
      </MenuTrigger>
    </div>
  );
}
