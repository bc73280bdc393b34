import { Bell, BellOff, BellRing } from "lucide-react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { RoomLevel } from "~/matrix/push-choices";
import { IconButton } from "~/ui/button";
import { ChoiceMenu } from "~/ui/choice-menu";
import { toast } from "~/ui/toast";

const LEVELS: readonly RoomLevel[] = ["default", "all", "mentions", "nothing"];

/** The levels of a channel with their names. */
export function useLevels(): readonly { id: RoomLevel; label: string }[] {
  const { t } = useTranslation("notifications");
  return LEVELS.map((id) => ({ id, label: t(`level.${id}`) }));
}

/** A bell in the channel's header: how much one hears of it. */
export function RoomNotificationMenu({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("notifications");
  const { pushRules } = useSession();
  const { level } = useSlice(pushRules.rooms, roomId);
  const choices = useLevels();
  const icon = level === "nothing" ? BellOff : level === "all" ? BellRing : Bell;
  const choose = (id: string) => {
    const chosen = LEVELS.find((known) => known === id) ?? "default";
    pushRules.setRoom(roomId, chosen).catch(() => toast({ text: t("notChanged"), tone: "danger" }));
  };
  return (
    <ChoiceMenu
      label={t("ofChannel")}
      groups={[{ id: "level", label: t("ofChannel"), chosen: level, choices, onChoose: choose }]}
    >
      <IconButton icon={icon} label={t("ofChannelNow", { level: t(`level.${level}`) })} />
    </ChoiceMenu>
  );
}
