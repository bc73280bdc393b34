import { type KeyboardEvent, type RefObject, useLayoutEffect } from "react";
import type { Message } from "~/matrix/timeline";
import { type Surroundings, useMessageActs } from "./message-actions";
import { MessageToolbar, type Opened } from "./message-toolbar";
import { actByKey } from "./row-keys";

interface NearMessageProps extends Surroundings {
  message: Message;
  opened: Opened;
  onOpen: (opened: Opened) => void;
  /** Where the row finds what its keys do. */
  keys: RefObject<((event: KeyboardEvent<HTMLElement>) => void) | undefined>;
}

/**
 * What can be done with a message, once somebody points at it or has the focus there: by buttons and by keys. Rows that are only
 * read or scrolled past do without.
 */
export function NearMessage({ message, opened, onOpen, keys, ...surroundings }: NearMessageProps) {
  const acts = useMessageActs(message, surroundings);
  useLayoutEffect(() => {
    keys.current = (event) => actByKey(event, acts, () => onOpen("emoji"));
    return () => {
      keys.current = undefined;
    };
  }, [keys, acts, onOpen]);
  if (message.sendState !== "sent") return null;
  return (
    <MessageToolbar
      roomId={surroundings.roomId}
      message={message}
      acts={acts}
      opened={opened}
      onOpen={onOpen}
    />
  );
}
