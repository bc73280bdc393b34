import { Check } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { channelIcon } from "~/features/channels";
import { rank } from "~/features/switcher";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId, type RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Picker } from "~/ui/picker";
import styles from "./forward.module.css";
import { type Target, useTargets } from "./use-targets";

const SHOWN_MAX = 30;

/** Chooses channels and conversations by name; those used last stand first. */
export function RoomPicker({
  chosen,
  max,
  onChange,
  words = {},
  ...picker
}: {
  chosen: readonly RoomId[];
  max: number;
  onChange: (chosen: readonly RoomId[]) => void;
  /** What is asked, where it is not where to forward to. */
  words?: { search?: string; chosen?: string };
  takesFocus?: boolean;
  isLow?: boolean;
}) {
  const { t } = useTranslation("forward");
  const { rooms } = useSession();
  const targets = useTargets();
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed);
  const shown = useMemo(() => rank(wanted, targets, SHOWN_MAX), [wanted, targets]);

  function toggle(id: RoomId) {
    if (chosen.includes(id)) onChange(chosen.filter((other) => other !== id));
    else if (chosen.length < max) onChange([...chosen, id]);
    setTyped("");
  }

  return (
    <>
      <Picker
        typed={typed}
        onType={setTyped}
        found={shown}
        idOf={({ id }) => id}
        nameOf={({ name }) => name}
        line={(target) => <TargetLine target={target} isChosen={chosen.includes(target.id)} />}
        onPick={({ id }) => toggle(id)}
        chosen={chosen.map((id) => ({ id, name: rooms.summary(id)?.name ?? id }))}
        onRemove={(id) => toggle(asRoomId(id))}
        {...picker}
        words={{
          search: t("search"),
          hint: t("searchHint"),
          results: t("results"),
          chosen: t("chosen"),
          nothing: t("nothing"),
          remove: (name) => t("remove", { name }),
          ...words,
        }}
      />
      {chosen.length >= max && <p className={styles.none}>{t("enough", { count: max })}</p>}
    </>
  );
}

function TargetLine({ target, isChosen }: { target: Target; isChosen: boolean }) {
  const { t } = useTranslation("forward");
  const room = useRoom(target.id);
  const src = useMediaUrl(room?.avatarMxc, 24);
  if (!room) return null;
  const Icon = channelIcon(room);
  return (
    <>
      {room.kind === "direct" ? (
        <Avatar name={room.name} seed={room.directWith ?? room.id} src={src} size={24} />
      ) : (
        <Icon size={18} strokeWidth={1.9} aria-hidden className={styles.icon} />
      )}
      <span className={styles.name}>{room.name}</span>
      <span className={styles.detail}>{target.detail}</span>
      {isChosen && (
        <Check size={17} strokeWidth={2} role="img" aria-label={t("isChosen")} className={styles.check} />
      )}
    </>
  );
}
