import { Laptop, MoreVertical, ShieldCheck, ShieldQuestion } from "lucide-react";
import { type FormEvent, useState } from "react";
import { openEncryptionDialog, useEncryption } from "~/features/encryption";
import { useSession } from "~/hooks/session";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import type { OwnDevice } from "~/matrix/devices";
import { Button, IconButton } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Chip } from "~/ui/marks";
import { Menu, type MenuEntry } from "~/ui/menu";
import { toast } from "~/ui/toast";
import styles from "./sessions.module.css";

/** One device: what it is, when and from where it was used, and what can be done about it. */
export function DeviceRow({ device, onSignOut }: { device: OwnDevice; onSignOut: () => void }) {
  const { t } = useTranslation("sessions");
  const [isRenaming, setRenaming] = useState(false);
  const name = device.name || t("unnamed");
  const seen = useLastSeen(device);
  return (
    <li className={styles.device}>
      <span className={styles.sign} aria-hidden>
        <Laptop size={20} strokeWidth={1.9} />
      </span>
      <div className={styles.facts}>
        {isRenaming ? (
          <Rename device={device} onDone={() => setRenaming(false)} />
        ) : (
          <h2 className={styles.name}>
            {name}
            {device.isThis && <Chip tone="echo">{t("this")}</Chip>}
          </h2>
        )}
        <p className={styles.seen}>
          {device.isVerified !== undefined && (
            <span className={device.isVerified ? styles.good : styles.doubt}>
              {device.isVerified ? (
                <ShieldCheck size={15} aria-hidden />
              ) : (
                <ShieldQuestion size={15} aria-hidden />
              )}
              {t(device.isVerified ? "verified" : "unverified")}
            </span>
          )}
          <span>{seen}</span>
        </p>
      </div>
      <Menu
        label={t("more", { name })}
        entries={useEntries(device, { onRename: () => setRenaming(true), onSignOut })}
      >
        <IconButton icon={MoreVertical} label={t("more", { name })} />
      </Menu>
    </li>
  );
}

function useLastSeen({ lastSeenTs, lastSeenIp }: OwnDevice): string {
  const { t } = useTranslation("sessions");
  const times = useTimes();
  if (!lastSeenTs) return t("never");
  const when = times.moment(lastSeenTs);
  return lastSeenIp ? t("seenWithIp", { when, ip: lastSeenIp }) : t("seen", { when });
}

function useEntries(
  device: OwnDevice,
  { onRename, onSignOut }: { onRename: () => void; onSignOut: () => void },
): readonly MenuEntry[] {
  const { t } = useTranslation("sessions");
  const { devices, verifications } = useSession();
  const { stage } = useEncryption();
  const page = device.isThis ? undefined : devices.pageFor(device.id);

  function verify() {
    if (device.isThis) openEncryptionDialog("verify");
    else verifications.askDevice(device.id).catch(() => toast({ tone: "danger", text: t("actionFailed") }));
  }

  const canVerify = device.isVerified === false && (device.isThis || stage === "ready");
  const verifyEntry: MenuEntry[] = canVerify ? [{ id: "verify", label: t("verify"), onAction: verify }] : [];
  return [
    { id: "rename", label: t("rename"), onAction: onRename },
    ...verifyEntry,
    "separator",
    {
      id: "sign-out",
      label: t("signOut"),
      isDangerous: true,
      onAction: page ? () => void window.open(page, "_blank", "noopener") : onSignOut,
    },
  ];
}

function Rename({ device, onDone }: { device: OwnDevice; onDone: () => void }) {
  const { t } = useTranslation("sessions");
  const { devices } = useSession();
  const [name, setName] = useState(device.name);

  async function save(event: FormEvent) {
    event.preventDefault();
    try {
      await devices.rename(device.id, name.trim());
      onDone();
    } catch {
      toast({ tone: "danger", text: t("actionFailed") });
    }
  }

  return (
    <form
      className={styles.rename}
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
        // Gives up the name, not the settings.
        event.stopPropagation();
        onDone();
      }}
    >
      <TextField
        label={t("renameLabel")}
        hidesLabel
        value={name}
        onChange={setName}
        maxLength={200}
        isRequired
        autoFocus
      />
      <Button kind="primary" type="submit">
        {t("save")}
      </Button>
    </form>
  );
}
