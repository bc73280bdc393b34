import type { LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { baseUrlOf, useConfig } from "~/hooks/config";
import { useTranslation } from "~/i18n/use-translation";
import { failureOf, type LoginFailure } from "~/matrix/login";
import { startOAuth } from "~/matrix/oauth";
import { Notice } from "~/ui/marks";
import { NativeButton } from "~/ui/native";
import styles from "./login.module.css";

interface OAuthButtonProps {
  next: string;
  kind: "primary" | "plain" | "quiet";
  icon?: LucideIcon;
  deviceId?: string;
  isNewAccount?: boolean;
  children: ReactNode;
}

/** Goes to the server's own sign-in page; it sends the browser back here. */
export function OAuthButton({ next, kind, icon, deviceId, isNewAccount, children }: OAuthButtonProps) {
  const { t } = useTranslation("login");
  const config = useConfig();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<LoginFailure>();

  async function go() {
    setPending(true);
    setFailure(undefined);
    try {
      const isNew = isNewAccount ?? false;
      const { brand, server_name: serverName } = config;
      const options = { brand, serverName, next, deviceId, isNewAccount: isNew };
      const page = await startOAuth(baseUrlOf(config), options);
      window.location.assign(page);
    } catch (error) {
      setFailure(failureOf(error));
      setPending(false);
    }
  }

  return (
    <>
      {failure && <Notice tone="danger">{t(`failures.${failure}`)}</Notice>}
      <NativeButton
        kind={kind}
        {...(icon ? { icon } : {})}
        isPending={isPending}
        onPress={() => void go()}
        className={styles.submit}
      >
        {children}
      </NativeButton>
    </>
  );
}
