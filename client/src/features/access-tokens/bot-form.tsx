import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useTranslation } from "~/i18n/use-translation";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { useBots } from "./use-tokens";

/** Makes an account for a program. */
export function BotForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("access-tokens");
  const { api, renew } = useBots();
  const [name, setName] = useState("");
  const [localpart, setLocalpart] = useState("");
  const { error, isPending, run } = useAct();

  async function make() {
    const isDone = await run(async () => {
      await api.makeBot(localpart.trim(), name.trim());
      await renew();
    });
    if (isDone) onClose();
  }

  return (
    <FormDialog
      title={t("newBot")}
      size="small"
      action={t("makeBot")}
      isPending={isPending}
      failure={error}
      onSubmit={() => void make()}
      onClose={onClose}
    >
      <TextField label={t("botName")} value={name} onChange={setName} isRequired autoFocus />
      <TextField
        label={t("botLocalpart")}
        hint={t("botLocalpartHint")}
        value={localpart}
        onChange={setLocalpart}
        isRequired
        autoComplete="off"
      />
    </FormDialog>
  );
}
