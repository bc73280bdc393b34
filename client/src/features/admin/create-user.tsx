import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Switch, TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./admin.module.css";
import { useAdminSend } from "./queries";
import { Done } from "./schemas";

/** Makes an account of this server's own, beside those of the directory. */
export function CreateUser({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["admin", "ui"]);
  const send = useAdminSend();
  const formId = useId();
  const [localpart, setLocalpart] = useState("");
  const [displayname, setDisplayname] = useState("");
  const [password, setPassword] = useState("");
  const [isAdministrator, setAdministrator] = useState(false);
  const [failure, setFailure] = useState<string>();
  const [isPending, setPending] = useState(false);

  async function create(event: FormEvent) {
    event.preventDefault();
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
    <Dialog
      isOpen
      title={t("user.create")}
      size="small"
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("ui:cancel")}
          </Button>
          <Button kind="primary" type="submit" form={formId} isPending={isPending}>
            {t("user.create")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={(event) => void create(event)}>
        {failure && <Notice tone="danger">{failure}</Notice>}
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
      </form>
    </Dialog>
  );
}
