import { shownKeys } from "~/hooks/keys";
import { SHORTCUTS, type ShortcutGroup, shortcutKeys } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import { Dialog } from "~/ui/dialog";
import styles from "./shortcuts-dialog.module.css";

const GROUPS: readonly ShortcutGroup[] = ["move", "messages", "write", "call"];

/** Every shortcut with its keys. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("shortcuts");
  return (
    <Dialog isOpen size="wide" title={t("title")} onClose={onClose}>
      <div className={styles.groups}>
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{t(`groups.${group}`)}</h3>
            <dl className={styles.list}>
              {SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ id }) => (
                <div key={id}>
                  <dt>{t(`names.${id}`)}</dt>
                  <dd>
                    <kbd>{shownKeys(shortcutKeys(id))}</kbd>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
