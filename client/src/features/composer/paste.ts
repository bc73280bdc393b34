import { type RefObject, useEffect } from "react";
import { zoneOf } from "./zone";

interface PasteTakers {
  onFiles: (files: readonly File[]) => void;
  onText: (text: string) => void;
}

/** The files that somebody means by pasting. A copied table or page brings its picture along; its text is what is meant. */
export function filesIn(clipboard: DataTransfer): readonly File[] {
  return clipboard.getData("text/plain") === "" ? [...clipboard.files] : [];
}

/**
 * Takes what is pasted while no field has the focus: whoever reads, and comes back from another program with a picture, does
 * not have to find the field first.
 */
export function usePasteAnywhere(
  anchor: RefObject<HTMLElement | null>,
  { onFiles, onText }: PasteTakers,
): void {
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const { target, clipboardData } = event;
      if (!(target instanceof HTMLElement) || !clipboardData || isField(target)) return;
      const zone = zoneOf(anchor.current);
      // Where nothing has the focus, the channel's own composer is meant, not a thread's beside it.
      const isHere = target === document.body ? zone?.tagName === "MAIN" : zoneOf(target) === zone;
      if (!zone || !isHere) return;
      const files = filesIn(clipboardData);
      const text = clipboardData.getData("text/plain");
      if (files.length === 0 && text === "") return;
      event.preventDefault();
      if (files.length > 0) onFiles(files);
      else onText(text);
    };
    document.addEventListener("paste", onPaste);
    return () => document.removeEventListener("paste", onPaste);
  }, [anchor, onFiles, onText]);
}

const isField = (element: HTMLElement) =>
  element.isContentEditable || element.closest("input, textarea, select") !== null;
