import { MessagesSquare } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { IconButton } from "~/ui/button";
import { cx } from "~/ui/cx";
import { useCurrentServer } from "./current-server";
import styles from "./servers.module.css";

export function ServersRail({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("servers");
  const servers = useSlice(useSession().spaces.servers, "servers");
  const { serverId } = useCurrentServer();
  return (
    <nav aria-label={t("rail")} className={cx(styles.rail, className)}>
      <IconButton
        icon={MessagesSquare}
        size="large"
        label={t("direct")}
        isCurrent={serverId === undefined}
        onPress={() => useCurrentServer.setState({ serverId: undefined })}
      />
      {servers.map((id) => (
        <Server key={id} id={id} isCurrent={id === serverId} />
      ))}
    </nav>
  );
}

function Server({ id, isCurrent }: { id: RoomId; isCurrent: boolean }) {
  const space = useRoom(id);
  const src = useMediaUrl(space?.avatarMxc, 46);
  if (!space) return null;
  return (
    <button
      type="button"
      aria-label={space.name}
      aria-current={isCurrent ? "true" : undefined}
      className={cx(styles.server, isCurrent && styles.current)}
      onClick={() => useCurrentServer.setState({ serverId: id })}
    >
      <Avatar name={space.name} seed={id} src={src} shape="place" size={46} />
    </button>
  );
}
