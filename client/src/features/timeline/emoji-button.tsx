import type { ReactNode } from "react";
import { useState } from "react";
import { Button } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { EmojiPicker } from "~/features/emoji";
import styles from "./emoji-button.module.css";

/** A button that opens all emoji and closes them when one was picked. */
export function EmojiButton({
  label,
  className,
  isOpen: opened,
  onOpenChange,
  onPick,
  children,
}: {
  label: string;
  className?: string | undefined;
  isOpen?: boolean;
  onOpenChange?: (isOpen: boolean) => void;
  onPick: (emoji: string) => void;
  children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const change = onOpenChange ?? setOpen;
  return (
    <DialogTrigger isOpen={opened ?? isOpen} onOpenChange={change}>
      <Button aria-label={label} className={className ?? ""}>
        {children}
      </Button>
      <Popover className={styles.popover ?? ""} offset={6}>
        <Dialog aria-label={label} className={styles.dialog ?? ""}>
          <EmojiPicker
            onPick={(emoji) => {
              change(false);
              onPick(emoji);
            }}
          />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
