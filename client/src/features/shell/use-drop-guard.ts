import { useEffect } from "react";

/** Files that are dropped where nothing takes them would open in this tab, in place of the client and of what is being written. */
export function useDropGuard(): void {
  useEffect(() => {
    const refuse = (event: DragEvent) => {
      const { dataTransfer: carried, target } = event;
      if (event.defaultPrevented || !carried?.types.includes("Files")) return;
      // A field for files takes them by itself.
      if (target instanceof Element && target.closest("input[type=file]")) return;
      event.preventDefault();
      carried.dropEffect = "none";
    };
    window.addEventListener("dragover", refuse);
    window.addEventListener("drop", refuse);
    return () => {
      window.removeEventListener("dragover", refuse);
      window.removeEventListener("drop", refuse);
    };
  }, []);
}
