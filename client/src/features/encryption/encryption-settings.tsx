import { useTranslation } from "~/i18n/use-translation";
import type { EncryptionState } from "~/matrix/encryption/encryption";
import { Button } from "~/ui/button";
import { Chip, Notice } from "~/ui/marks";
import { type EncryptionDialog, openEncryptionDialog } from "./dialog-state";
import styles from "./encryption.module.css";
import { useEncryption } from "./use-encryption";

/** The settings' page about keys: how things stand, and everything that can be done about it. */
export function EncryptionSettings() {
  const { t } = useTranslation("encryption");
  const state = useEncryption();
  return (
    <div className={styles.settings}>
      <p className={styles.lead}>{t("settings.lead")}</p>
      {state.stage === "failed" && <Notice tone="danger">{t("settings.failed")}</Notice>}
      <Row
        title={t("settings.device")}
        text={t(`settings.stage.${state.stage}`)}
        chip={state.stage === "ready" ? t("settings.verified") : undefined}
        action={state.stage === "unverified" ? { dialog: "verify", label: t("settings.verify") } : undefined}
      />
      <Row
        title={t("settings.key")}
        text={t(`settings.${keyStateOf(state)}`)}
        action={
          state.stage === "ready"
            ? { dialog: "recoveryKey", label: t(`settings.${keyStateOf(state)}Action`) }
            : undefined
        }
      />
      <Row
        title={t("settings.backup")}
        text={t(state.isBackedUp ? "settings.backupOn" : "settings.backupOff")}
        chip={state.isBackedUp ? t("settings.on") : undefined}
        action={
          state.stage === "ready" && !state.isBackedUp
            ? { dialog: "recoveryKey", label: t("settings.backupAction") }
            : undefined
        }
      />
      <Row
        title={t("settings.file")}
        text={t("settings.fileText")}
        action={{ dialog: "exportKeys", label: t("settings.export") }}
        second={{ dialog: "importKeys", label: t("settings.import") }}
      />
      <Row
        title={t("settings.reset")}
        text={t("settings.resetText")}
        action={{ dialog: "reset", label: t("settings.resetAction") }}
      />
    </div>
  );
}

function keyStateOf({ unsavedKey, hasRecoveryKey }: EncryptionState) {
  if (unsavedKey) return "keyUnsaved";
  return hasRecoveryKey ? "keyThere" : "keyMissing";
}

interface Action {
  dialog: EncryptionDialog;
  label: string;
}

interface RowProps {
  title: string;
  text: string;
  chip?: string | undefined;
  action?: Action | undefined;
  second?: Action;
}

function Row({ title, text, chip, action, second }: RowProps) {
  return (
    <section className={styles.row} aria-label={title}>
      <div className={styles.rowText}>
        <h2 className={styles.rowTitle}>
          {title}
          {chip && <Chip tone="echo">{chip}</Chip>}
        </h2>
        <p>{text}</p>
      </div>
      <div className={styles.rowActions}>
        {[action, second].map(
          (offered) =>
            offered && (
              <Button key={offered.dialog} onPress={() => openEncryptionDialog(offered.dialog)}>
                {offered.label}
              </Button>
            ),
        )}
      </div>
    </section>
  );
}
