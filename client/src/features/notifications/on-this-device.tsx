import { useState } from "react";
import { callSettings } from "~/calls/settings";
import { useCallSettings } from "~/hooks/calls";
import { type NotificationPreferences, usePreferences } from "~/hooks/preferences";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Group } from "~/ui/page";
import styles from "./notifications.module.css";
import { playMessageSound } from "./sound";
import { WhenClosed } from "./when-closed";

/** What this browser shows and plays of what the account wants to hear of. */
export function OnThisDevice() {
  const { t } = useTranslation("notifications");
  const notifies = usePreferences((preferences) => preferences.notifies);
  const set = (change: Partial<NotificationPreferences>) =>
    usePreferences.setState(({ notifies }) => ({ notifies: { ...notifies, ...change } }));
  const ringSound = useCallSettings((settings) => settings.ringSound);
  const [permission, setPermission] = useState(currentPermission);

  /** Asks once; settles to whether notifications may be shown. */
  async function permit(): Promise<boolean> {
    if (permission === "default") setPermission(await Notification.requestPermission());
    return currentPermission() === "granted";
  }

  return (
    <Group title={t("device.title")} hint={t("device.hint")}>
      <Switch
        label={t("device.desktop")}
        hint={t("device.desktopHint")}
        isSelected={notifies.onDesktop && permission === "granted"}
        isDisabled={permission === "denied" || permission === "unsupported"}
        onChange={async (isOn) => set({ onDesktop: isOn && (await permit()) })}
      />
      {permission !== "denied" && permission !== "unsupported" && <WhenClosed permit={permit} />}
      {permission === "denied" && <Notice tone="ember">{t("device.denied")}</Notice>}
      {permission === "unsupported" && <Notice>{t("device.unsupported")}</Notice>}
      <Switch
        label={t("device.text")}
        hint={t("device.textHint")}
        isSelected={notifies.showsText}
        isDisabled={!notifies.onDesktop}
        onChange={(showsText) => set({ showsText })}
      />
      <Switch
        label={t("device.sound")}
        isSelected={notifies.messageSound}
        onChange={(messageSound) => set({ messageSound })}
      />
      <Switch
        label={t("device.callSound")}
        isSelected={ringSound}
        onChange={(isOn) => callSettings.setState({ ringSound: isOn })}
      />
      <div className={styles.row}>
        <Button onPress={() => void playMessageSound()}>{t("device.listen")}</Button>
      </div>
    </Group>
  );
}

const currentPermission = (): NotificationPermission | "unsupported" =>
  "Notification" in window ? Notification.permission : "unsupported";
