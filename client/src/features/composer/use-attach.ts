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
        for (const name of tooLarge)
          toast({
            text: t("tooLarge", { name, limit: formatBytes(bytesMax, i18n.language) }),
            tone: "danger",
          });
      });
    },
    [tray, t, i18n],
  );
}
