import { useEffect, useSyncExternalStore } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { toast } from "~/ui/toast";
import { update } from "~/worker/register";

/** Says once that a newer version of the client lies ready; when it starts is for the user to say. */
export function useUpdateNotice(): void {
  const { t } = useTranslation("ui");
  const isReady = useSyncExternalStore(update.watch, update.isReady);
  useEffect(() => {
    if (isReady) toast({ text: t("newVersion"), action: { label: t("reload"), onAction: update.reload } });
  }, [isReady, t]);
}
