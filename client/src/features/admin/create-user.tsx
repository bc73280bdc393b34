import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Switch, TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { toast } from "~/ui/toast";
import { useAdminSend } from "./queries";
import { Done } from "./schemas";

/** Makes an account of this server's own, beside those of the directory. */
export function CreateUser({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const [localpart, setLocalpart] = useState("");
  const [displayname, setDisplayname] = useState("");
  const [password, setPassword] = useState("");
  const [isAdministrator, setAdministrator] = useState(false);
  const [failure, setFailure] = useState<string>();
  const [isPending, setPending] = useState(false);

  async function create() {
    setPending(true);
    setFailure(undefined);
    try {
      await send(Done, "POST", "users", {
        localpart,
        password,
        is_administrator: isAdministrator,
        ...(displayname ? { displayname } : {}),
      });
      toast({ text: t("user.created", { name: localpart }) });
      onClose();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
      setPending(false);
    }
  }

  return (
    <FormDialog
      title={t("user.create")}
      size="small"
      action={t("user.create")}
      isPending={isPending}
      failure={failure}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      <TextField
        label={t("user.localpart")}
        hint={t("user.localpartHint")}
        value={localpart}
        onChange={setLocalpart}
        isRequired
        autoComplete="off"
        autoFocus
      />
      <TextField
        label={t("user.displayname")}
        value={displayname}
        onChange={setDisplayname}
        autoComplete="off"
      />
      <TextField
        label={t("user.password")}
        type="password"
        value={password}
        onChange={setPassword}
        isRequired
        autoComplete="new-password"
      />
      <Switch
        label={t("userState.administrator")}
        hint={t("user.administratorHint")}
        isSelected={isAdministrator}
        onChange={setAdministrator}
      />
    </FormDialog>
  );
}
