import { useDeferredValue, useMemo, useState } from "react";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { Dialog, Modal, ModalOverlay } from "react-aria-components/Modal";
import { Input, SearchField } from "react-aria-components/SearchField";
import { ListBox, ListBoxItem } from "react-aria-components/Select";
import { useAttempt } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId } from "~/matrix/ids";
import { useEscape } from "~/ui/escape";
import { Badge } from "~/ui/marks";
import { type Entry, useEntries } from "./entries";
import { rank } from "./rank";
import { rememberUse } from "./recent";
import styles from "./switcher.module.css";

const SHOWN_MAX = 30;

/** Jumps to any person, channel, server, setting or command. */
export function Switcher({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("switcher");
  const entries = useEntries();
  const attempt = useAttempt();
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed);
  const shown = useMemo(() => rank(wanted, entries, SHOWN_MAX), [wanted, entries]);

  function choose(entry: Entry | undefined) {
    if (!entry) return;
    rememberUse(entry.id, Date.now());
    onClose();
    attempt(async () => entry.open());
  }

  /** Enter goes to the first result, also before the list has marked it. */
  function chooseFirst({ key, target }: { key: string; target: EventTarget }) {
    const isMarked = target instanceof Element && target.hasAttribute("aria-activedescendant");
    if (key === "Enter" && !isMarked) choose(rank(typed, entries, 1)[0]);
  }

  useEscape(true, onClose);
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      className={styles.scrim ?? ""}
    >
      <Modal className={styles.modal ?? ""}>
        <Dialog aria-label={t("title")} className={styles.dialog ?? ""}>
          <Autocomplete inputValue={typed} onInputChange={setTyped}>
            <SearchField
              aria-label={t("title")}
              autoFocus
              className={styles.field ?? ""}
              onKeyDown={chooseFirst}
            >
              <Input placeholder={t("hint")} className={styles.input ?? ""} />
            </SearchField>
            <ListBox
              aria-label={t("results")}
              items={shown}
              onAction={(key) => choose(shown.find(({ id }) => id === key))}
              renderEmptyState={() => <p className={styles.none}>{t("nothing")}</p>}
              className={styles.list ?? ""}
            >
              {(entry) => (
                <ListBoxItem id={entry.id} textValue={entry.name} className={styles.entry ?? ""}>
                  <EntryLine entry={entry} />
                </ListBoxItem>
              )}
            </ListBox>
          </Autocomplete>
          <p className={styles.help}>{t("help")}</p>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function EntryLine({ entry }: { entry: Entry }) {
  const { t } = useTranslation("switcher");
  const { unread } = useSession();
  const isRoom = entry.group === "channel" || entry.group === "direct";
  return (
    <>
      <entry.icon size={18} strokeWidth={1.9} aria-hidden />
      <span className={styles.name}>{entry.name}</span>
      <span className={styles.detail}>{entry.detail}</span>
      {isRoom && <Badge count={unread.rooms.read(asRoomId(entry.id)).mentions} />}
      <span className={styles.group}>{t(`groups.${entry.group}`)}</span>
    </>
  );
}
