import { useNavigate } from "@tanstack/react-router";
import { Compass, Plus, ShieldCheck } from "lucide-react";
import { useRef } from "react";
import { useAdminRight } from "~/hooks/admin-right";
import { openDialog } from "~/hooks/dialogs";
import { useSession, useSlice } from "~/hooks/session";
import { useShortcut } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { cx } from "~/ui/cx";
import { useCurrentServer, useOpenServer } from "./current-server";
import { Logo } from "./logo";
import { PlaceButton } from "./place-button";
import { RailButton } from "./rail-button";
import { ServerButton } from "./server-button";
import styles from "./servers.module.css";

/** Direct messages, the servers in this person's order, and the ways to more. */
export function ServersRail({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("servers");
  const navigate = useNavigate();
  const { spaces } = useSession();
  const servers = useSlice(spaces.servers, "servers");
  const { serverId } = useCurrentServer();
  const openServer = useOpenServer();
  const isAdmin = useAdminRight();
  const dragged = useRef<RoomId>(undefined);
  useServerShortcuts(servers, serverId, openServer);

  return (
    <nav aria-label={t("rail")} data-region="" className={cx(styles.rail, className)}>
      <DirectsButton isCurrent={serverId === undefined} onOpen={() => openServer(undefined)} />
      <hr />
      <ul className={styles.servers}>
        {servers.map((id, place) => (
          <li
            key={id}
            onDragOver={(event) => {
              if (dragged.current) event.preventDefault();
            }}
            onDrop={() => {
              if (dragged.current) void spaces.moveServer(dragged.current, place);
              dragged.current = undefined;
            }}
          >
            <ServerButton
              id={id}
              place={place}
              isLast={place === servers.length - 1}
              isCurrent={id === serverId}
              onOpen={() => openServer(id)}
              onDragStart={() => {
                dragged.current = id;
              }}
            />
          </li>
        ))}
      </ul>
      <RailButton icon={Plus} label={t("add")} isDashed onPress={() => openDialog({ kind: "add-server" })} />
      <span className={styles.space} />
      <RailButton icon={Compass} label={t("explore")} onPress={() => void navigate({ to: "/explore" })} />
      {isAdmin && (
        <RailButton
          icon={ShieldCheck}
          label={t("admin")}
          onPress={() => void navigate({ to: "/admin/$page", params: { page: "overview" } })}
        />
      )}
    </nav>
  );
}

function DirectsButton({ isCurrent, onOpen }: { isCurrent: boolean; onOpen: () => void }) {
  const { t } = useTranslation("servers");
  const { unread: marks } = useSession();
  const { count, isUnread } = useSlice(marks.sums, "direct");
  return (
    <PlaceButton
      label={t("direct")}
      state={count > 0 ? t("messages", { count }) : ""}
      isCurrent={isCurrent}
      isUnread={isUnread}
      mentions={count}
      onClick={onOpen}
      className={styles.logo}
    >
      <Logo />
    </PlaceButton>
  );
}

function useServerShortcuts(
  servers: readonly RoomId[],
  current: RoomId | undefined,
  openServer: (id: RoomId | undefined) => void,
): void {
  const move = (by: -1 | 1) => {
    const places = [undefined, ...servers];
    const next = places.indexOf(current) + by;
    if (next >= 0 && next < places.length) openServer(places[next]);
  };
  useShortcut("previousServer", () => move(-1));
  useShortcut("nextServer", () => move(1));
}
