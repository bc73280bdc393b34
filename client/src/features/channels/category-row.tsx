import { ArrowDown, ArrowUp, ChevronDown, Plus, Settings } from "lucide-react";
import { useAttempt } from "~/hooks/act";
import { openDialog } from "~/hooks/dialogs";
import { usePermissions } from "~/hooks/permissions";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId, type RoomId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";
import { useContextMenu } from "~/ui/context-menu";
import { cx } from "~/ui/cx";
import type { MenuEntry } from "~/ui/menu";
import styles from "./channels.module.css";

interface CategoryRowProps {
  serverId?: RoomId;
  id?: RoomId | undefined;
  name: string;
  isCollapsed: boolean;
  onToggle: () => void;
}

/** A heading that folds its channels away; with the right, a way to add one. */
export function CategoryRow({ serverId, id, name, isCollapsed, onToggle }: CategoryRowProps) {
  const { t } = useTranslation("channels");
  const can = usePermissions(id ?? asRoomId(""));
  const { handlers, menu } = useContextMenu(t("menuOf", { name }), useEntries(serverId, id));
  return (
    <h3 className={styles.category}>
      <button
        type="button"
        aria-expanded={!isCollapsed}
        onClick={onToggle}
        {...(id ? handlers : {})}
        className={cx(styles.fold, isCollapsed && styles.folded)}
      >
        <ChevronDown size={13} strokeWidth={2} aria-hidden />
        <span className={styles.name}>{name}</span>
      </button>
      {id && serverId && can.changeChannels && (
        <IconButton
          icon={Plus}
          size="small"
          label={t("createIn", { name })}
          className={styles.add}
          onPress={() => openDialog({ kind: "create-channel", serverId, parentId: id })}
        />
      )}
      {menu}
    </h3>
  );
}

function useEntries(serverId: RoomId | undefined, id: RoomId | undefined): () => readonly MenuEntry[] {
  const { t } = useTranslation("channels");
  const { spaces, permissions } = useSession();
  const attempt = useAttempt();
  return () => {
    if (!serverId || !id) return [];
    const settings: MenuEntry = {
      id: "settings",
      label: t("categorySettings"),
      icon: Settings,
      onAction: () => openDialog({ kind: "room-settings", roomId: id }),
    };
    if (!permissions.can(serverId).changeChannels) return [settings];
    const move = (by: -1 | 1) => attempt(() => spaces.moveChild(serverId, id, by));
    return [
      { id: "up", label: t("moveUp"), icon: ArrowUp, onAction: () => move(-1) },
      { id: "down", label: t("moveDown"), icon: ArrowDown, onAction: () => move(1) },
      settings,
    ];
  };
}
