import { type KeyboardEvent, useState } from "react";
import { keysOf, shownKeys } from "~/hooks/keys";
import { SHORTCUTS, type ShortcutGroup, type ShortcutId, useShortcutSettings } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Group, Page } from "~/ui/page";
import styles from "./settings.module.css";

const GROUPS: readonly ShortcutGroup[] = ["move", "messages", "write", "call"];

export function ShortcutsPage() {
  const { t } = useTranslation(["settings", "shortcuts"]);
  const { keys: own } = useShortcutSettings();
  return (
    <Page title={t("page.shortcuts")} intro={t("shortcuts.intro")}>
      {GROUPS.map((group) => (
        <Group key={group} title={t(`shortcuts:groups.${group}`)}>
          <table className={styles.shortcuts}>
            <tbody>
              {SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ id, keys }) => (
                <Row key={id} id={id} usual={keys} own={own[id]} />
              ))}
            </tbody>
          </table>
        </Group>
      ))}
      {Object.keys(own).length > 0 && (
        <Button className={styles.reset} onPress={() => useShortcutSettings.setState({ keys: {} })}>
          {t("shortcuts.resetAll")}
        </Button>
      )}
    </Page>
  );
}

function Row({ id, usual, own }: { id: ShortcutId; usual: string; own: string | undefined }) {
  const { t } = useTranslation(["settings", "shortcuts"]);
  const [isListening, setListening] = useState(false);
  const [taken, setTaken] = useState<ShortcutId>();
  const name = t(`shortcuts:names.${id}`);
  const keys = own ?? usual;

  function onKeyDown(event: KeyboardEvent<HTMLButtonElement>) {
    if (!isListening || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    // Escape gives up: it stays what closes things.
    if (event.key === "Escape") return setListening(false);
    const pressed = keysOf(event.nativeEvent);
    if (pressed === undefined) return;
    const other = SHORTCUTS.find((one) => one.id !== id && keysNow(one.id, one.keys) === pressed);
    setTaken(other?.id);
    if (other) return;
    setListening(false);
    useShortcutSettings.setState(({ keys: all }) => {
      const { [id]: _, ...others } = all;
      return { keys: pressed === usual ? others : { ...others, [id]: pressed } };
    });
  }

  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <button
          type="button"
          className={styles.keys}
          aria-label={t("shortcuts.change", { name, keys: shownKeys(keys) })}
          aria-pressed={isListening}
          onClick={() => setListening(true)}
          onKeyDown={onKeyDown}
          onBlur={() => {
            setListening(false);
            setTaken(undefined);
          }}
        >
          {isListening ? t("shortcuts.press") : shownKeys(keys)}
        </button>
        <span role="status" className={styles.taken}>
          {taken ? t("shortcuts.taken", { name: t(`shortcuts:names.${taken}`) }) : ""}
        </span>
      </td>
    </tr>
  );
}

const keysNow = (id: ShortcutId, usual: string) => useShortcutSettings.getState().keys[id] ?? usual;
