import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAct } from "~/hooks/act";
import { usePermissions, useRoleNames, useRoles } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import { ACTS, type Act, changeFor, levelFor } from "./role-acts";
import { RoleMembers } from "./role-members";
import styles from "./room-settings.module.css";

/** Who has which role, what each may do, and what they are called. */
export function RolesPage({ roomId }: { roomId: RoomId }) {
  return (
    <>
      <RoleMembers roomId={roomId} />
      <Rights roomId={roomId} />
      <NewRole roomId={roomId} />
    </>
  );
}

function Rights({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { permissions } = useSession();
  const can = usePermissions(roomId);
  const roles = useRoles(roomId);
  const nameOf = useRoleNames(roomId);
  const room = useRoom(roomId);
  const levels = permissions.levelsOf(roomId);
  const { error, run } = useAct();
  if (!levels) return null;
  const acts = ACTS.filter(
    ({ place }) => place === "both" || (place === "space") === (room?.kind === "space"),
  );

  function change(act: Act, level: number) {
    const { requirements, events } = changeFor(act, level);
    void run(() => permissions.setRequirements(roomId, requirements, events));
  }

  return (
    <section aria-label={t("rights")} className={styles.section}>
      <h3>{t("rights")}</h3>
      {error && <Notice tone="danger">{error}</Notice>}
      <ul className={styles.rights}>
        {acts.map((act) => {
          const needed = levelFor(act, levels);
          const known = roles.filter(({ level }) => Number.isFinite(level));
          const options = known.some(({ level }) => level === needed)
            ? known
            : [...known, { kind: "custom" as const, level: needed, name: undefined }];
          return (
            <li key={act.id}>
              <span>{t(`acts.${act.id}`)}</span>
              <Select
                hidesLabel
                label={t(`acts.${act.id}`)}
                value={String(needed)}
                isDisabled={!can.changeRoles || needed > can.level}
                onChange={(level) => change(act, Number(level))}
                options={options
                  .filter(({ level }) => level <= can.level || level === needed)
                  .map(({ level }) => ({ id: String(level), label: nameOf(level) }))}
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Gives a level a name, which makes it a role that can be chosen. */
function NewRole({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { permissions } = useSession();
  const can = usePermissions(roomId);
  const [name, setName] = useState("");
  const [level, setLevel] = useState("75");
  const { isPending, error, run } = useAct();
  const number = Number(level);
  const isValid = name.trim() !== "" && Number.isInteger(number) && number > 0 && number <= 100;
  if (!can.changeRoleNames) return null;

  async function add(event: FormEvent) {
    event.preventDefault();
    if (!isValid || isPending) return;
    if (await run(() => permissions.nameRole(roomId, number, name))) setName("");
  }

  return (
    <section aria-label={t("newRole")} className={styles.section}>
      <h3>{t("newRole")}</h3>
      <p className={styles.small}>{t("newRoleHint")}</p>
      <form className={styles.newRole} onSubmit={(event) => void add(event)}>
        <TextField label={t("roleName")} value={name} onChange={setName} maxLength={60} />
        <TextField label={t("roleLevel")} inputMode="numeric" value={level} onChange={setLevel} />
        <Button type="submit" icon={Plus} isDisabled={!isValid} isPending={isPending}>
          {t("addRole")}
        </Button>
      </form>
      {error && <Notice tone="danger">{error}</Notice>}
    </section>
  );
}
