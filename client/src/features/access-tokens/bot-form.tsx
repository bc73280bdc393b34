import { type FormEvent, useId, useState } from "react";
import { useAct } from "~/hooks/act";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import styles from "./tokens.module.css";
import { useBots } from "./use-tokens";

/** Makes an account for a program. */
export function BotForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["access-tokens", "ui"]);
  const { api, renew } = useBots();
  const formId = useId();
  const [name, setName] = useState("");
  const [localpart, setLocalpart] = useState("");
  const { error, isPending, run } = useAct();

  async function make(event: FormEvent) {
    event.preventDefault();
    const isDone = await run(async () => {
      await api.makeBot(localpart.trim(), name.trim());
      await renew();
    });
    if (isDone) onClose();
  }

  return (
    <Dialog
      isOpen
      title={t("newBot")}
      size="small"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("ui:cancel")}
          </Button>
          <Button kind="primary" type="submit" form={formId} isPending={isPending}>
            {t("makeBot")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={(event) => void make(event)}>
        {error && <Notice tone="danger">{error}</Notice>}
        <TextField label={t("botName")} value={name} onChange={setName} isRequired autoFocus />
        <TextField
          label={t("botLocalpart")}
          hint={t("botLocalpartHint")}
          value={localpart}
          onChange={setLocalpart}
          isRequired
          autoComplete="off"
        />
      </form>
    </Dialog>
  );
}
