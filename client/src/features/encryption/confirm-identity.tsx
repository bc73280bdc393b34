import { ExternalLink } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { Confirmation } from "~/matrix/confirmations";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import styles from "./encryption.module.css";

/** Asks who somebody is, when the server wants to know before it does what was asked. */
export function ConfirmIdentity() {
  const { confirmations } = useSession();
  const { question } = useSlice(confirmations.asked, "asked");
  if (!question) return null;
  if (question.kind === "page") return <Page url={question.url} />;
  return <Password key={question.attempt} question={question} />;
}

function Password({ question }: { question: Confirmation & { kind: "password" } }) {
  const { t } = useTranslation("encryption");
  const { confirmations } = useSession();
  const [password, setPassword] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    confirmations.answer(password);
  }

  return (
    <Dialog
      title={t("confirm.title")}
      isOpen
      size="small"
      onClose={() => confirmations.cancel()}
      footer={
        <>
          <Button kind="quiet" onPress={() => confirmations.cancel()}>
            {t("confirm.cancel")}
          </Button>
          <Button kind="primary" type="submit" form="confirm-identity">
            {t("confirm.goOn")}
          </Button>
        </>
      }
    >
      <form id="confirm-identity" className={styles.stack} onSubmit={submit}>
        <p>{t("confirm.password")}</p>
        <TextField
          label={t("confirm.passwordLabel")}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          isRequired
          autoFocus
          error={question.isWrong && password === "" ? t("confirm.wrong") : undefined}
        />
      </form>
    </Dialog>
  );
}

function Page({ url }: { url: string }) {
  const { t } = useTranslation("encryption");
  const { confirmations } = useSession();
  return (
    <Dialog
      title={t("confirm.title")}
      isOpen
      size="small"
      onClose={() => confirmations.cancel()}
      footer={
        <>
          <Button kind="quiet" onPress={() => confirmations.cancel()}>
            {t("confirm.cancel")}
          </Button>
          <Button kind="primary" onPress={() => confirmations.answer("")}>
            {t("confirm.done")}
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        <p>{t("confirm.page")}</p>
        <p>
          <a href={url} target="_blank" rel="noreferrer noopener" className={styles.pageLink}>
            {t("confirm.openPage")}
            <ExternalLink size={15} strokeWidth={1.9} aria-hidden />
          </a>
        </p>
      </div>
    </Dialog>
  );
}
