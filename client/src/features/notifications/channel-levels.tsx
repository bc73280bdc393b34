import { useRef, useState } from "react";
import { useAct } from "~/hooks/act";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Notice } from "~/ui/marks";
import { Group } from "~/ui/page";
import { Select } from "~/ui/select";
import { commonLevel, type ServerLevel } from "./common-level";
import styles from "./notifications.module.css";
import { useLevels } from "./room-level";

/** Of each server, and of each of its channels, how much one hears. */
export function ChannelLevels() {
  const { t } = useTranslation("notifications");
  const session = useSession();
  const servers = useSlice(session.spaces.servers, "servers");
  const options = servers.map((id) => ({ id, label: session.rooms.summary(id)?.name ?? id }));
  const [chosen, setChosen] = useState<RoomId>();
  const serverId = chosen ?? servers[0];
  if (!serverId) return null;
  return (
    <Group title={t("channels.title")} hint={t("channels.hint")}>
      <Select label={t("channels.server")} value={serverId} options={options} onChange={setChosen} />
      <Server key={serverId} serverId={serverId} />
    </Group>
  );
}

function Server({ serverId }: { serverId: RoomId }) {
  const { t } = useTranslation("notifications");
  const { pushRules, spaces } = useSession();
  const levels = useLevels();
  const { error: failure, run: attempt } = useAct();
  const channels = useSlice(spaces.categories, serverId).flatMap((category) => category.channels);
  // Any change of the account's rules may be one of a channel's.
  useSlice(pushRules.revision, "all");
  const common = commonLevel(channels.map((id) => pushRules.rooms.peek(id).level));

  /** Whoever chooses again meanwhile means the last choice. */
  const turns = useRef(0);

  async function setAll(level: ServerLevel) {
    if (level === "mixed") return;
    const turn = ++turns.current;
    await attempt(async () => {
      for (const id of channels) {
        if (turn !== turns.current) return;
        await pushRules.setRoom(id, level);
      }
    });
  }

  return (
    <>
      <Select
        label={t("channels.all")}
        value={common}
        isDisabled={channels.length === 0}
        options={[
          ...levels,
          ...(common === "mixed" ? [{ id: "mixed" as const, label: t("channels.mixed") }] : []),
        ]}
        onChange={(level) => void setAll(level)}
      />
      {failure && <Notice tone="danger">{failure}</Notice>}
      <ul className={styles.channels}>
        {channels.map((id) => (
          <Channel key={id} roomId={id} />
        ))}
      </ul>
    </>
  );
}

function Channel({ roomId }: { roomId: RoomId }) {
  const { pushRules } = useSession();
  const levels = useLevels();
  const name = useRoom(roomId)?.name ?? "";
  const { level } = useSlice(pushRules.rooms, roomId);
  const { error: failure, run: attempt } = useAct();
  return (
    <li className={styles.channel}>
      <span className={styles.channelName} aria-hidden>
        {name}
      </span>
      <Select
        label={name}
        hidesLabel
        value={level}
        options={levels}
        onChange={(wanted) => void attempt(() => pushRules.setRoom(roomId, wanted))}
      />
      {failure && <Notice tone="danger">{failure}</Notice>}
    </li>
  );
}
