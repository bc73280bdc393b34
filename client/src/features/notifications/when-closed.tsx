import { useEffect } from "react";
import { useAct } from "~/hooks/act";
import { useConfig } from "~/hooks/config";
import { usePreferences } from "~/hooks/preferences";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";

/** Whether messages reach this browser when no tab of ours is open. Shown where notifications are allowed or can be. */
export function WhenClosed({ permit }: { permit: () => Promise<boolean> }) {
  const { t } = useTranslation("notifications");
  const { brand } = useConfig();
  const { webPush } = useSession();
  const { state } = useSlice(webPush.state, "here");
  const showsText = usePreferences(({ notifies }) => notifies.showsText);
  const { error, isPending, run } = useAct();

  useEffect(() => {
    // Unknown stays unknown without a connection; the page says so elsewhere.
    webPush.refresh().catch(() => {});
  }, [webPush]);

  const change = (isOn: boolean) =>
    run(async () => {
      if (!isOn) await webPush.turnOff();
      else if (await permit()) await webPush.turnOn({ showsText, deviceName: t("closed.device", { brand }) });
    });

  return (
    <>
      <Switch
        label={t("closed.label")}
        hint={t(`closed.${state}`)}
        isSelected={state === "on" || state === "waiting"}
        isDisabled={isPending || state === "asking" || state === "noBrowser" || state === "noServer"}
        onChange={(isOn) => void change(isOn)}
      />
      {error && <Notice tone="danger">{t("closed.failed", { reason: error })}</Notice>}
    </>
  );
}
