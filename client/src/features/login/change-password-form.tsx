import { type FormEvent, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { useTranslation } from "~/i18n/use-translation";
import { changePassword, failureOf, type LoginFailure } from "~/matrix/login";
import { Notice } from "~/ui/marks";
import { NativeButton, NativeTextField } from "~/ui/native";
import styles from "./login.module.css";

interface ChangePasswordFormProps {
  user: string;
  /** The one that was right, and does not let in any more. */
  password: string;
  why: LoginFailure;
  onChanged: (newPassword: string) => Promise<void>;
  onCancel: () => void;
}

/** A new password for the company's directory, where the old one has to be changed first. */
export function ChangePasswordForm({ user, password, why, onChanged, onCancel }: ChangePasswordFormProps) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const [chosen, setChosen] = useState("");
  const [repeated, setRepeated] = useState("");
  const [failure, setFailure] = useState<LoginFailure>();
  const [isPending, setPending] = useState(false);
  const differs = repeated !== "" && chosen !== repeated;

  async function change(event: FormEvent) {
    event.preventDefault();
    if (isPending || chosen !== repeated) return;
    setPending(true);
    setFailure(undefined);
    try {
      await changePassword(baseUrlOf(config), { user, password, newPassword: chosen });
      await onChanged(chosen);
    } catch (error) {
      setFailure(failureOf(error));
      setPending(false);
    }
  }

  return (
    <form className={styles.form} onSubmit={change}>
      <Notice tone={failure ? "danger" : "ember"}>{t(`failures.${failure ?? why}`)}</Notice>
      {/* Password managers look for the name. */}
      <NativeTextField label={t("user")} value={user} autoComplete="username" isReadOnly />
      <NativeTextField
        label={t("newPassword")}
        type="password"
        autoComplete="new-password"
        value={chosen}
        onChange={setChosen}
        isRequired
        takesFocus
      />
      <NativeTextField
        label={t("newPasswordAgain")}
        type="password"
        autoComplete="new-password"
        value={repeated}
        onChange={setRepeated}
        isRequired
      />
      {differs && <Notice tone="danger">{t("passwordsDiffer")}</Notice>}
      <NativeButton type="submit" kind="primary" isPending={isPending} className={styles.submit}>
        {t(isPending ? "signingIn" : "changePassword")}
      </NativeButton>
      <NativeButton kind="quiet" className={styles.submit} onPress={onCancel}>
        {t("back")}
      </NativeButton>
    </form>
  );
}
