import { useTranslation } from "~/i18n/use-translation";
import { Dialog } from "~/ui/dialog";
import { COMMANDS } from "./commands";
import styles from "./composer.module.css";

/** All commands and what they do. */
export function CommandHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("composer");
  return (
    <Dialog title={t("commands")} isOpen={isOpen} onClose={onClose}>
      <dl className={styles.help}>
        {COMMANDS.map((name) => (
          <Row key={name} name={name} words={t(`command.${name}`)} />
        ))}
      </dl>
    </Dialog>
  );
}

function Row({ name, words }: { name: string; words: string }) {
  return (
    <>
      <dt>
        <code>/{name}</code>
      </dt>
      <dd>{words}</dd>
    </>
  );
}
