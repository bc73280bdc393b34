import { Plus, Star, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAct } from "~/hooks/act";
import { usePermissions } from "~/hooks/permissions";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button, IconButton } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Chip, Notice } from "~/ui/marks";
import styles from "./room-settings.module.css";

/** The names under which others find it. */
export function AddressesPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { settings } = useSession();
  const { mainAddress, otherAddresses } = useSlice(settings.details, roomId);
  const { changeAddresses: isChangeable } = usePermissions(roomId);
  const [name, setName] = useState("");
  const { isPending, error, run } = useAct();
  const addresses = mainAddress ? [mainAddress, ...otherAddresses] : otherAddresses;

  async function add(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === "" || isPending) return;
    if (await run(() => settings.addAddress(roomId, settings.addressOf(name)))) setName("");
  }

  return (
    <>
      <p>{t("addressesText")}</p>
      {addresses.length === 0 && <p className={styles.small}>{t("noAddress")}</p>}
      <ul className={styles.addresses}>
        {addresses.map((address) => (
          <li key={address}>
            <span className={styles.memberName}>{address}</span>
            {address === mainAddress && <Chip tone="echo">{t("main")}</Chip>}
            {isChangeable && address !== mainAddress && (
              <IconButton
                icon={Star}
                label={t("makeMain", { address })}
                onPress={() => void run(() => settings.makeMain(roomId, address))}
              />
            )}
            {isChangeable && (
              <IconButton
                icon={Trash2}
                label={t("removeAddress", { address })}
                onPress={() => void run(() => settings.removeAddress(roomId, address))}
              />
            )}
          </li>
        ))}
      </ul>
      {isChangeable && (
        <form onSubmit={(event) => void add(event)}>
          <TextField
            label={t("newAddress")}
            value={name}
            onChange={setName}
            hint={name.trim() ? settings.addressOf(name) : t("newAddressHint")}
            after={
              <Button type="submit" icon={Plus} isDisabled={name.trim() === ""} isPending={isPending}>
                {t("add")}
              </Button>
            }
          />
        </form>
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </>
  );
}
