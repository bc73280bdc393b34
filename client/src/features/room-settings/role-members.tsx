import { useEffect, useState } from "react";
import { VList } from "virtua";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useRoleNames, useRoles } from "~/hooks/permissions";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Member } from "~/matrix/members";
import { Avatar } from "~/ui/avatar";
import { TextField } from "~/ui/field";
import { Notice, PartnerChip } from "~/ui/marks";
import { Select } from "~/ui/select";
import styles from "./room-settings.module.css";

/** Everybody in the room with their role. */
export function RoleMembers({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { members } = useSession();
  const all = useSlice(members.all, roomId);
  const [term, setTerm] = useState("");
  useEffect(() => {
    void members.load(roomId).catch(() => {});
  }, [members, roomId]);
  const wanted = term.trim().toLowerCase();
  const shown = all
    .filter(
      ({ membership, name, userId }) =>
        membership === "join" && `${name} ${userId}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => b.powerLevel - a.powerLevel || a.name.localeCompare(b.name));
  return (
    <section aria-label={t("members")} className={styles.section}>
      <h3>{t("members")}</h3>
      {all.length > 10 && (
        <TextField
          hidesLabel
          label={t("findMember")}
          placeholder={t("findMember")}
          value={term}
          onChange={setTerm}
        />
      )}
      <VList className={styles.members} style={{ height: Math.min(shown.length * 44, 264) }}>
        {shown.map((member) => (
          <MemberRole key={member.userId} roomId={roomId} member={member} />
        ))}
      </VList>
    </section>
  );
}

function MemberRole({ roomId, member }: { roomId: RoomId; member: Member }) {
  const { t } = useTranslation("room-settings");
  const { permissions, userId } = useSession();
  const roles = useRoles(roomId);
  const nameOf = useRoleNames(roomId);
  const src = useMediaUrl(member.avatarMxc, 28);
  const { isPending, error, run } = useAct();
  const possible = roles.filter(({ level }) => permissions.mayGiveLevel(roomId, member.userId, level));
  // Nobody gives away their own role by a slip of the hand: they can, as everybody's role is named.
  const isFixed = possible.length === 0;
  return (
    <div className={styles.member}>
      <Avatar name={member.name} seed={member.userId} src={src} size={28} />
      <span className={styles.memberName}>
        {member.name} {member.userId === userId && <small>{t("you")}</small>}
      </span>
      {member.partnerServer && <PartnerChip server={member.partnerServer} />}
      {isFixed ? (
        <span className={styles.small}>{nameOf(member.powerLevel)}</span>
      ) : (
        <Select
          hidesLabel
          label={t("roleOf", { name: member.name })}
          value={String(member.powerLevel)}
          onChange={(level) => {
            // One after the other: each is made from the levels as they are.
            if (!isPending) void run(() => permissions.setLevel(roomId, member.userId, Number(level)));
          }}
          options={withCurrent(
            possible.map(({ level }) => level),
            member.powerLevel,
          ).map((level) => ({
            id: String(level),
            label: nameOf(level),
          }))}
        />
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </div>
  );
}

const withCurrent = (levels: readonly number[], current: number) =>
  levels.includes(current) ? levels : [...levels, current];
