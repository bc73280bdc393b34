import { Bell } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Card } from "./card";

/** Asks the browser for notifications; only here, where somebody wants them. */
export function NotificationsCard() {
  const { t } = useTranslation("onboarding");
  const isThere = "Notification" in window;
  const [permission, setPermission] = useState(() => (isThere ? Notification.permission : undefined));
  const isDone = permission === "granted";
  const text =
    permission === undefined ? "missing" : isDone ? "on" : permission === "denied" ? "denied" : "text";
  return (
    <Card icon={Bell} title={t("notifications.title")} text={t(`notifications.${text}`)} isDone={isDone}>
      {permission === "default" && (
        <div>
          <Button onPress={() => void Notification.requestPermission().then(setPermission)}>
            {t("notifications.ask")}
          </Button>
        </div>
      )}
    </Card>
  );
}
