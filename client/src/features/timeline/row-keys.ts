import type { KeyboardEvent } from "react";
import type { MessageActs } from "./message-actions";

/** Single keys act on the message that has the focus itself, never on what is inside it. */
export function actByKey(event: KeyboardEvent<HTMLElement>, acts: MessageActs, openEmoji: () => void): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = actOf(event.key, acts, openEmoji);
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

export function actOf(key: string, acts: MessageActs, openEmoji: () => void): (() => void) | undefined {
  switch (key) {
    case "r":
    case "R":
      return acts.reply;
    case "t":
    case "T":
      return acts.thread;
    case "e":
    case "E":
      return acts.edit;
    case "p":
    case "P":
      return acts.pin;
    case "+":
      return acts.mayReact ? openEmoji : undefined;
    case "Delete":
      return acts.remove;
    default:
      return undefined;
  }
}
