import { Check, X } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { ListBox, ListBoxItem } from "react-aria-components/ListBox";
import { Input, Label, SearchField } from "react-aria-components/SearchField";
import { channelIcon } from "~/features/channels";
import { rank } from "~/features/switcher";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId, type RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import styles from "./forward.module.css";
import { type Target, useTargets } from "./use-targets";

const SHOWN_MAX = 30;

/** Chooses channels and conversations by name; those used last stand first. */
export function RoomPicker({
  chosen,
  max,
  onChange,
}: {
  chosen: readonly RoomId[];
  max: number;
  onChange: (chosen: readonly RoomId[]) => void;
}) {
  const { t } = useTranslation("forward");
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
    <div className={styles.picker}>
      {chosen.length > 0 && (
        <ul className={styles.chosen} aria-label={t("chosen")}>
          {chosen.map((id) => (
            <li key={id}>
              <Chosen roomId={id} onRemove={() => toggle(id)} />
            </li>
          ))}
        </ul>
      )}
      <Autocomplete inputValue={typed} onInputChange={setTyped}>
        <SearchField autoFocus className={styles.search ?? ""}>
          <Label className={styles.searchLabel ?? ""}>{t("search")}</Label>
          <Input placeholder={t("searchHint")} className={styles.input ?? ""} />
        </SearchField>
        <ListBox
          aria-label={t("results")}
          items={shown}
          dependencies={[chosen]}
          className={styles.results ?? ""}
          renderEmptyState={() => <p className={styles.none}>{t("nothing")}</p>}
          onAction={(key) => toggle(asRoomId(String(key)))}
        >
          {(target) => (
            <ListBoxItem id={target.id} textValue={target.name} className={styles.result ?? ""}>
              <TargetLine target={target} isChosen={chosen.includes(target.id)} />
            </ListBoxItem>
          )}
        </ListBox>
      </Autocomplete>
      {chosen.length >= max && <p className={styles.none}>{t("enough", { count: max })}</p>}
    </div>
  );
}

function Chosen({ roomId, onRemove }: { roomId: RoomId; onRemove: () => void }) {
  const { t } = useTranslation("forward");
  const name = useRoom(roomId)?.name ?? roomId;
  return (
    <Button kind="plain" aria-label={t("remove", { name })} onPress={onRemove}>
      {name}
      <X size={14} strokeWidth={2} aria-hidden />
    </Button>
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
      {isChosen && <Check size={17} strokeWidth={2} role="img" aria-label={t("isChosen")} />}
    </>
  );
}
