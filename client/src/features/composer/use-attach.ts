import { useCallback } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { toast } from "~/ui/toast";
import { formatBytes } from "./bytes";
import type { Dropped } from "./drop";
import { FILES_MAX, type Tray } from "./tray";

/** Attaches files, and says why some are not taken. */
export function useAttach(tray: Tray): (dropped: Dropped) => void {
  const { t, i18n } = useTranslation("composer");
  return useCallback(
    ({ files, hasFolder }) => {
      if (hasFolder) toast({ text: t("noFolders") });
      const room = FILES_MAX - tray.store.getState().files.length;
      if (files.length > room) toast({ text: t("tooMany", { count: FILES_MAX }) });
      void tray.add(files.slice(0, Math.max(0, room))).then(({ tooLarge, bytesMax }) => {
        if (tooLarge.length === 0) return;
        // One sentence for all of them: of many, the first would be pushed away by the last.
        const names = new Intl.ListFormat(i18n.language).format(tooLarge);
        const limit = formatBytes(bytesMax, i18n.language);
        toast({ text: t("tooLarge", { count: tooLarge.length, names, limit }), tone: "danger" });
      });
    },
    [tray, t, i18n],
  );
}
