import { useAct } from "~/hooks/act";
import { useMemberActions } from "~/hooks/people";
import { useRoleNames } from "~/hooks/permissions";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Chip, Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import styles from "./profile.module.css";

/** Somebody's role in a room: a choice for those who may give roles, words for the others. */
export function RoleChoice({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("profile");
  const session = useSession();
  const member = useMember(roomId, userId);
  const nameOf = useRoleNames(roomId);
  const { grantable } = useMemberActions(roomId, userId);
  const { error, run } = useAct();
  if (member.membership !== "join") return null;
  // One's own role is laid down in the settings of the channel, where it says what that means.
  if (grantable.length === 0 || userId === session.userId) {
    return (
      <p className={styles.role}>
        <span className={styles.roleLabel}>{t("role")}</span> <Chip>{nameOf(member.powerLevel)}</Chip>
      </p>
    );
  }
  const current = grantable.find(({ level }) => level <= member.powerLevel) ?? grantable.at(-1);

  return (
    <div className={styles.role}>
      <Select
        label={t("role")}
        value={String(current?.level)}
        options={grantable.map(({ level }) => ({ id: String(level), label: nameOf(level) }))}
        onChange={(level) => void run(() => session.permissions.setLevel(roomId, userId, Number(level)))}
      />
      {error && <Notice tone="danger">{error}</Notice>}
    </div>
  );
}
