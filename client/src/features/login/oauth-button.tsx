import type { LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useConfig } from "~/hooks/config";
import { failureOf, type LoginFailure } from "~/matrix/login";
import { type OAuthMetadata, startOAuth } from "~/matrix/oauth";
import { Button, type ButtonKind } from "~/ui/button";
import { Notice } from "~/ui/marks";
import styles from "./login.module.css";

export interface OAuthButtonProps {
  metadata: OAuthMetadata;
  next: string;
  kind: ButtonKind;
  icon?: LucideIcon;
  deviceId?: string;
  isNewAccount?: boolean;
  children: ReactNode;
}

/** Goes to the server's own sign-in page; it sends the browser back here. */
export function OAuthButton({
  metadata,
  next,
  kind,
  icon,
  deviceId,
  isNewAccount,
  children,
}: OAuthButtonProps) {
  const { t } = useTranslation("login");
  const { brand, server_name: serverName } = useConfig();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<LoginFailure>();

  async function go() {
    setPending(true);
    setFailure(undefined);
    try {
      const isNew = isNewAccount ?? false;
      const page = await startOAuth(metadata, { brand, serverName, next, deviceId, isNewAccount: isNew });
      window.location.assign(page);
    } catch (error) {
      setFailure(failureOf(error));
      setPending(false);
    }
  }

  return (
    <>
      {failure && <Notice tone="danger">{t(`failures.${failure}`)}</Notice>}
      <Button
        kind={kind}
        {...(icon ? { icon } : {})}
        isPending={isPending}
        onPress={() => void go()}
        className={styles.submit}
      >
        {children}
      </Button>
    </>
  );
}
