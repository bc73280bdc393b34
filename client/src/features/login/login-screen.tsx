import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { saveCredentials } from "~/matrix/credentials";
import { LoginError, loginWithPassword } from "~/matrix/login";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import styles from "./login.module.css";

export function LoginScreen() {
  const { t } = useTranslation("login");
  const config = useConfig();
  const navigate = useNavigate();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<string>();
  const [isPending, setPending] = useState(false);

  async function logIn(event: FormEvent) {
    event.preventDefault();
    if (isPending) return;
    setPending(true);
    setFailure(undefined);
    try {
      const device = t("deviceName", { brand: config.brand });
      await saveCredentials(
        await loginWithPassword(baseUrlOf(config), { user, password, deviceName: device }),
      );
      await navigate({ to: "/" });
    } catch (error) {
      setFailure(error instanceof LoginError && error.errcode === "M_FORBIDDEN" ? t("wrong") : t("failed"));
      setPending(false);
    }
  }

  return (
    <main className={styles.screen}>
      <form className={styles.card} onSubmit={logIn}>
        <img src="/icon.svg" alt="" width={56} height={56} />
        <h1 className={styles.title}>{t("title", { brand: config.brand })}</h1>
        <p className={styles.server}>{config.server_name}</p>
        {failure && <Notice tone="danger">{failure}</Notice>}
        <TextField
          label={t("user")}
          value={user}
          onChange={setUser}
          autoComplete="username"
          isRequired
          autoFocus
        />
        <TextField
          label={t("password")}
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          isRequired
        />
        <Button type="submit" kind="primary" isPending={isPending}>
          {t("logIn")}
        </Button>
      </form>
    </main>
  );
}
