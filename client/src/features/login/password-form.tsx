import Eye from "lucide-react/icons/eye";
import EyeOff from "lucide-react/icons/eye-off";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { warmUp } from "~/hooks/warm-up";
import { useTranslation } from "~/i18n/use-translation";
import type { Credentials } from "~/matrix/credentials";
import { failureOf, LoginError, type LoginFailure, loginWithPassword } from "~/matrix/login";
import { Notice } from "~/ui/marks";
import { NativeButton, NativeIconButton, NativeTextField } from "~/ui/native";
import styles from "./login.module.css";

/** Fetched by those few who need it. */
const ChangePasswordForm = lazy(() =>
  import("./change-password-form").then((all) => ({ default: all.ChangePasswordForm })),
);

interface PasswordFormProps {
  /** Whose session goes on: the name is fixed, and the device keeps its keys. */
  again?: { user: string; deviceId: string };
  onSignedIn: (credentials: Credentials) => Promise<void>;
}

/** Name and password, as password managers know them. */
export function PasswordForm({ again, onSignedIn }: PasswordFormProps) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const [user, setUser] = useState(again?.user ?? "");
  const [password, setPassword] = useState("");
  const [isShown, setShown] = useState(false);
  const [failure, setFailure] = useState<LoginFailure>();
  const [isPending, setPending] = useState(false);
  const [mustChange, setMustChange] = useState<LoginFailure>();
  const name = user.trim();

  async function signInWith(given: string) {
    const deviceName = t("deviceName", { brand: config.brand });
    const device = again ? { deviceId: again.deviceId } : {};
    await onSignedIn(
      await loginWithPassword(baseUrlOf(config), { user: name, password: given, deviceName, ...device }),
    );
  }

  async function signIn(event: FormEvent) {
    event.preventDefault();
    if (isPending) return;
    setPending(true);
    setFailure(undefined);
    try {
      await signInWith(password);
    } catch (error) {
      const why = failureOf(error);
      if (error instanceof LoginError && error.mayChangePassword) setMustChange(why);
      else setFailure(why);
      setPending(false);
    }
  }

  if (mustChange) {
    return (
      <Suspense>
        <ChangePasswordForm
          user={name}
          password={password}
          why={mustChange}
          onChanged={signInWith}
          onCancel={() => {
            setMustChange(undefined);
            setPassword("");
          }}
        />
      </Suspense>
    );
  }

  return (
    <form className={styles.form} onSubmit={signIn} onInput={warmUp}>
      {failure && <Notice tone="danger">{t(`failures.${failure}`)}</Notice>}
      {/* Password managers look for the name even where it is given. */}
      <NativeTextField
        label={t("user")}
        value={user}
        onChange={setUser}
        autoComplete="username"
        isReadOnly={again !== undefined}
        isRequired
        takesFocus={!again}
      />
      <NativeTextField
        label={t("password")}
        type={isShown ? "text" : "password"}
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        isRequired
        takesFocus={again !== undefined}
        after={
          <NativeIconButton
            icon={isShown ? EyeOff : Eye}
            label={t(isShown ? "hidePassword" : "showPassword")}
            onPress={() => setShown(!isShown)}
          />
        }
      />
      <NativeButton type="submit" kind="primary" isPending={isPending} className={styles.submit}>
        {t(isPending ? "signingIn" : "logIn")}
      </NativeButton>
    </form>
  );
}
