import { Upload } from "lucide-react";
import { type RefObject, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import styles from "./drop.module.css";
import { zoneOf } from "./zone";

/** What was dropped: its files, and whether a folder was among them. */
export interface Dropped {
  readonly files: readonly File[];
  readonly hasFolder: boolean;
}

/**
 * Takes files that are dropped anywhere on the screen or panel that holds the composer, and says so while they are over it.
 */
export function DropZone({
  anchor,
  label,
  onDrop,
}: {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  onDrop: (dropped: Dropped) => void;
}) {
  const [place, setPlace] = useState<HTMLElement>();
  useEffect(() => {
    const zone = zoneOf(anchor.current);
    if (!zone) return;
    // Moving between elements inside leaves one and enters another: only the balance counts.
    let depth = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth += 1;
      setPlace(zone);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) end();
    };
    const over = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.stopPropagation();
      end();
      onDrop(droppedIn(event.dataTransfer));
    };
    const end = () => {
      depth = 0;
      setPlace(undefined);
    };
    zone.addEventListener("dragenter", enter);
    zone.addEventListener("dragleave", leave);
    zone.addEventListener("dragover", over);
    zone.addEventListener("drop", drop);
    return () => {
      zone.removeEventListener("dragenter", enter);
      zone.removeEventListener("dragleave", leave);
      zone.removeEventListener("dragover", over);
      zone.removeEventListener("drop", drop);
    };
  }, [anchor, onDrop]);

  if (!place) return null;
  const { left, top, width, height } = place.getBoundingClientRect();
  return createPortal(
    <div className={styles.zone} style={{ left, top, width, height }}>
      <p className={styles.words}>
        <Upload size={22} strokeWidth={1.9} aria-hidden />
        {label}
      </p>
    </div>,
    document.body,
  );
}

function droppedIn({ items, files }: DataTransfer): Dropped {
  const kept: File[] = [];
  let hasFolder = false;
  for (const item of items) {
    if (item.kind !== "file") continue;
    const file = item.getAsFile();
    if (item.webkitGetAsEntry()?.isDirectory) hasFolder = true;
    else if (file) kept.push(file);
  }
  return { files: items.length > 0 ? kept : [...files], hasFolder };
}
