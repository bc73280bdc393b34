import { type FormEvent, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { useTranslation } from "~/i18n/use-translation";
import type { Credentials } from "~/matrix/credentials";
import { type Proof, type RegisterFailure, register, registerFailureOf, type Step } from "~/matrix/register";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import styles from "./login.module.css";
import { RegisterStage } from "./register-stage";

/** A new account: name and password, and then what the server asks for beside them, one thing at a time. */
export function RegisterForm({
  onSignedIn,
  onCancel,
}: {
  onSignedIn: (credentials: Credentials) => Promise<void>;
  onCancel: () => void;
}) {
  const { t, i18n } = useTranslation("login");
  const config = useConfig();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const [step, setStep] = useState<Exclude<Step, { done: Credentials }>>();
  const [failure, setFailure] = useState<RegisterFailure>();
  const [isPending, setPending] = useState(false);
  const differs = repeated !== "" && password !== repeated;

  async function goOn(proof?: Proof) {
    if (isPending) return;
    setPending(true);
    setFailure(undefined);
    const account = {
      username: username.trim().toLowerCase(),
      password,
      deviceName: t("deviceName", { brand: config.brand }),
    };
    try {
      const proven = step && proof ? { session: step.session, proof } : undefined;
      const next = await register(baseUrlOf(config), account, i18n.language, proven);
      if (next.done) return await onSignedIn(next.done);
      setStep(next);
    } catch (error) {
      const why = registerFailureOf(error);
      // These are about the first page.
      if (why === "taken" || why === "invalidName" || why === "weak") setStep(undefined);
      setFailure(why);
    }
    setPending(false);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (password === repeated) void goOn();
  }

  const told = failure && <Notice tone="danger">{t(`register.failures.${failure}`)}</Notice>;
  if (step) {
    return (
      <div className={styles.form}>
        {told}
        <RegisterStage stage={step.stage} isPending={isPending} onProof={(proof) => void goOn(proof)} />
        <Button kind="quiet" className={styles.submit} onPress={() => setStep(undefined)}>
          {t("back")}
        </Button>
      </div>
    );
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      {told}
      <TextField
        label={t("user")}
        hint={t("register.nameHint")}
        value={username}
        onChange={setUsername}
        autoComplete="username"
        isRequired
        autoFocus
      />
      <TextField
        label={t("password")}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
        isRequired
      />
      <TextField
        label={t("register.passwordAgain")}
        type="password"
        value={repeated}
        onChange={setRepeated}
        autoComplete="new-password"
        isRequired
        error={differs ? t("passwordsDiffer") : undefined}
      />
      <Button type="submit" kind="primary" isPending={isPending} className={styles.submit}>
        {t("newAccount")}
      </Button>
      <Button kind="quiet" className={styles.submit} onPress={onCancel}>
        {t("register.haveOne")}
      </Button>
    </form>
  );
}
