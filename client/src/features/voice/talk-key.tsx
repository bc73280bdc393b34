import { useEffect, useState } from "react";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { keyName } from "./key-name";
import styles from "./voice-settings.module.css";

/** Which key to hold while talking. */
export function TalkKey() {
  const { t } = useTranslation("voice-settings");
  const { calls } = useSession();
  const [isWaiting, setIsWaiting] = useState(false);
  const code = useCallSettings((settings) => settings.pushToTalkKey);
  useEffect(() => {
    if (!isWaiting) return;
    const onKey = (event: KeyboardEvent) => {
      // Tab goes on, as everywhere: whoever has no mouse would not get away otherwise.
      if (event.code === "Tab") return setIsWaiting(false);
      event.preventDefault();
      event.stopPropagation();
      if (event.code !== "Escape") calls.changeSettings({ pushToTalkKey: event.code });
      setIsWaiting(false);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [isWaiting, calls]);
  return (
    <div className={styles.key}>
      <span>{t("talkKey")}</span>
      <Button onPress={() => setIsWaiting(true)}>{isWaiting ? t("pressKey") : keyName(code)}</Button>
    </div>
  );
}
