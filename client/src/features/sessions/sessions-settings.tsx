import { useEffect, useState } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { DeviceId } from "~/matrix/ids";
import { NotConfirmed } from "~/matrix/not-confirmed";
import { Button } from "~/ui/button";
import { Confirm } from "~/ui/dialog";
import { Notice, Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { DeviceRow } from "./device-row";
import styles from "./sessions.module.css";
import { SignOutDialog } from "./sign-out-dialog";

/** The settings' page about devices: where this account is signed in, and the way to end that. */
export function SessionsSettings() {
  const { t } = useTranslation("sessions");
  const { devices } = useSession();
  const { devices: list } = useSlice(devices.list, "own");
  const [hasFailed, setFailed] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const [asksForAll, setAsksForAll] = useState(false);
  const page = devices.pageFor();

  useEffect(() => {
    devices.refresh().catch(() => setFailed(true));
  }, [devices]);

  async function signOut(ids: readonly DeviceId[]) {
    setAsksForAll(false);
    try {
      await devices.signOut(ids);
      toast({ text: t("signedOut", { count: ids.length }) });
    } catch (error) {
      if (!(error instanceof NotConfirmed)) toast({ tone: "danger", text: t("actionFailed") });
    }
  }

  if (!list) {
    if (!hasFailed) return <Spinner label={t("list")} />;
    const retry = () => {
      setFailed(false);
      devices.refresh().catch(() => setFailed(true));
    };
    return (
      <Notice tone="danger">
        <p>{t("failed")}</p>
        <Button onPress={retry}>{t("retry")}</Button>
      </Notice>
    );
  }
  const others = list.filter(({ isThis }) => !isThis).map(({ id }) => id);
  return (
    <div className={styles.settings}>
      <p className={styles.lead}>{t("lead")}</p>
      <ul className={styles.list} aria-label={t("list")}>
        {list.map((device) => (
          <DeviceRow
            key={device.id}
            device={device}
            onSignOut={() => (device.isThis ? setLeaving(true) : void signOut([device.id]))}
          />
        ))}
      </ul>
      {others.length > 0 &&
        (page ? (
          <a href={page} target="_blank" rel="noreferrer noopener">
            {t("manage")}
          </a>
        ) : (
          <Button kind="danger" onPress={() => setAsksForAll(true)} className={styles.all}>
            {t("signOutAll")}
          </Button>
        ))}
      <Confirm
        title={t("confirmAll.title")}
        isOpen={asksForAll}
        action={t("signOutAll")}
        isDangerous
        onClose={() => setAsksForAll(false)}
        onConfirm={() => void signOut(others)}
      >
        <p>{t("confirmAll.text")}</p>
      </Confirm>
      <SignOutDialog isOpen={isLeaving} onClose={() => setLeaving(false)} />
    </div>
  );
}
