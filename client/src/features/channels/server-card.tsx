import { ChevronDown, FolderPlus, LogOut, Plus, Settings, UserPlus } from "lucide-react";
import { Button } from "react-aria-components/Button";
import { openDialog } from "~/hooks/dialogs";
import { useOnlineCount } from "~/hooks/people";
import { usePermissions } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { PartnerChip } from "~/ui/marks";
import { Menu, type MenuEntry } from "~/ui/menu";
import styles from "./channels.module.css";
import { Rings } from "./rings";

/** The server's name on its cover, with the menu of what one may do with it. */
export function ServerCard({ serverId }: { serverId: RoomId }) {
  const { t } = useTranslation("channels");
  const server = useRoom(serverId);
  const entries = useServerEntries(serverId);
  const online = useOnlineCount(serverId, server?.joinedCount ?? 0);
  if (!server) return null;
  return (
    <header className={styles.cover}>
      <Rings className={styles.rings} />
      <Menu label={t("serverMenu", { name: server.name })} entries={entries}>
        <Button className={styles.serverName ?? ""}>
          <h2>{server.name}</h2>
          <ChevronDown size={15} strokeWidth={1.9} aria-hidden />
        </Button>
      </Menu>
      <p className={styles.facts}>
        {online !== undefined && (
          <span className="num">
            <i aria-hidden className={styles.online} />
            {t("online", { count: online })}
          </span>
        )}
        <span className="num">{t("members", { count: server.joinedCount })}</span>
        {server.partnerServer && <PartnerChip server={server.partnerServer} />}
      </p>
    </header>
  );
}

function useServerEntries(serverId: RoomId): readonly MenuEntry[] {
  const { t } = useTranslation("channels");
  const can = usePermissions(serverId);
  const entries: MenuEntry[] = [];
  if (can.invite) {
    entries.push({
      id: "invite",
      label: t("invite"),
      icon: UserPlus,
      onAction: () => openDialog({ kind: "invite", roomId: serverId }),
    });
  }
  if (can.changeChannels) {
    entries.push(
      {
        id: "channel",
        label: t("createChannel"),
        icon: Plus,
        onAction: () => openDialog({ kind: "create-channel", serverId, parentId: serverId }),
      },
      {
        id: "category",
        label: t("createCategory"),
        icon: FolderPlus,
        onAction: () =>
          openDialog({ kind: "create-channel", serverId, parentId: serverId, isCategory: true }),
      },
    );
  }
  if (entries.length > 0) entries.push("separator");
  entries.push(
    {
      id: "settings",
      label: t("serverSettings"),
      icon: Settings,
      onAction: () => openDialog({ kind: "room-settings", roomId: serverId }),
    },
    {
      id: "leave",
      label: t("leaveServer"),
      icon: LogOut,
      isDangerous: true,
      onAction: () => openDialog({ kind: "leave", roomId: serverId }),
    },
  );
  return entries;
}
