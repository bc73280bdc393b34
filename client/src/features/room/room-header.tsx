import { Link } from "@tanstack/react-router";
import { ArrowLeft, CalendarDays, MessagesSquare, Pin, Search, ShieldCheck, Users } from "lucide-react";
import { Button as AriaButton } from "react-aria-components/Button";
import { channelIcon, useChannelEntries } from "~/features/channels";
import { DirectShield } from "~/features/encryption";
import { RoomNotificationMenu } from "~/features/notifications";
import { CallButtons } from "~/features/ringing";
import { askForDate } from "~/features/timeline";
import { useMediaUrl } from "~/hooks/media";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomSummary } from "~/matrix/rooms";
import { Avatar } from "~/ui/avatar";
import { IconToggle } from "~/ui/button";
import { PartnerChip } from "~/ui/marks";
import { Menu } from "~/ui/menu";
import styles from "./room.module.css";
import { type Panel, useShownPanel, useTogglePanel } from "./use-panel";

const TOOLS = [
  { panel: "pins", icon: Pin },
  { panel: "threads", icon: MessagesSquare },
  { panel: "members", icon: Users },
  { panel: "search", icon: Search },
] as const satisfies readonly { panel: Panel; icon: typeof Pin }[];

/** What channel it is, what it is about, and the panels beside it. */
export function RoomHeader({ room }: { room: RoomSummary }) {
  const { t } = useTranslation(["room", "timeline"]);
  const { spaces } = useSession();
  const { serverId } = useSlice(spaces.serverOf, room.id);
  const entries = useChannelEntries(room.id, serverId);
  const shown = useShownPanel();
  const toggle = useTogglePanel();
  const toDate = {
    id: "date",
    label: t("timeline:toDate"),
    icon: CalendarDays,
    onAction: () => askForDate(room.id),
  };
  return (
    <header className={styles.header}>
      <Link to="/" aria-label={t("back")} className={styles.back}>
        <ArrowLeft size={20} strokeWidth={1.9} aria-hidden />
      </Link>
      <RoomMark room={room} />
      <Menu label={t("menuOf", { name: room.name })} entries={[toDate, "separator", ...entries()]}>
        <AriaButton aria-label={t("menuOf", { name: room.name })} className={styles.nameButton ?? ""}>
          <h1 className={styles.name}>{room.name}</h1>
        </AriaButton>
      </Menu>
      {room.partnerServer && <PartnerChip server={room.partnerServer} />}
      {room.isEncrypted && room.directWith && <DirectShield userId={room.directWith} name={room.name} />}
      {room.isEncrypted && !room.directWith && (
        <ShieldCheck
          size={15}
          strokeWidth={1.9}
          role="img"
          aria-label={t("encrypted")}
          className={styles.shield}
        />
      )}
      {room.topic && (
        <p className={styles.topic} title={room.topic}>
          {room.topic}
        </p>
      )}
      <div className={styles.tools}>
        <CallButtons roomId={room.id} />
        <span className={styles.optional}>
          <RoomNotificationMenu roomId={room.id} />
        </span>
        {TOOLS.map(({ panel, icon }) => (
          <IconToggle
            key={panel}
            icon={icon}
            label={t(`panels.${panel}`)}
            isSelected={shown === panel}
            onChange={() => toggle(panel)}
            className={panel === "pins" || panel === "search" ? styles.optional : undefined}
          />
        ))}
      </div>
    </header>
  );
}

function RoomMark({ room }: { room: RoomSummary }) {
  const src = useMediaUrl(room.avatarMxc, 30);
  if (room.kind === "direct")
    return <Avatar name={room.name} seed={room.directWith ?? room.id} src={src} size={30} />;
  const Icon = channelIcon(room);
  return <Icon size={18} strokeWidth={1.9} aria-hidden className={styles.kind} />;
}
