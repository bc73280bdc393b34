import { useNavigate } from "@tanstack/react-router";
import { Settings, SunMoon } from "lucide-react";
import { useMediaUrl } from "~/hooks/media";
import { usePreferences } from "~/hooks/preferences";
import { useMember } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { localpartOf, type RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { IconButton } from "~/ui/button";
import styles from "./me-card.module.css";

const PRESENCE = { online: "online", away: "away", busy: "busy", invisible: "offline" } as const;

/** Oneself: name, state, and the two things one reaches for from everywhere. */
export function MeCard({ inCall }: { inCall?: string | undefined }) {
  const { t } = useTranslation("voice");
  const navigate = useNavigate();
  const me = useMe();
  const { state } = useSlice(useSession().connection.state, "server");
  const src = useMediaUrl(me.avatarMxc, 36);
  const status = useSlice(useSession().presence.own, "own");
  const isOnline = state === "online" && status.mode !== "invisible";
  const words = inCall
    ? t("meInCall", { name: inCall })
    : status.text || t(`me.${isOnline ? status.mode : "offline"}`);
  return (
    <div className={styles.me}>
      <Avatar
        name={me.name}
        seed={me.userId}
        src={src}
        size={36}
        presence={isOnline ? PRESENCE[status.mode] : "offline"}
      />
      <div className={styles.text}>
        <b>{me.name}</b>
        <span>{words}</span>
      </div>
      <div className={styles.tools}>
        <IconButton icon={SunMoon} label={t("theme")} onPress={toggleTheme} />
        <IconButton
          icon={Settings}
          label={t("settings")}
          onPress={() => void navigate({ to: "/settings/$page", params: { page: "profile" } })}
        />
      </div>
    </div>
  );
}

/** One's own name and picture, as the first room that one is in has them. */
function useMe() {
  const { userId, rooms } = useSession();
  const [first] = useSlice(rooms.lists, "joined");
  const me = useMember(first ?? ("" as RoomId), userId);
  return first ? me : { ...me, name: localpartOf(userId) };
}

function toggleTheme(): void {
  const isLight = document.documentElement.dataset.theme === "light";
  usePreferences.setState({ theme: isLight ? "dark" : "light" });
}
