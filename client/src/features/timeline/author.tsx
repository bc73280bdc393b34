import { shortName } from "~/hooks/name-list";
import { useMember } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Chip, PartnerChip } from "~/ui/marks";

/** The marks beside a name: the role that the room gave it a word for, and the company if it is another. */
export function AuthorMarks({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("timeline");
  const { powerLevel, partnerServer } = useMember(roomId, userId);
  const roles = useSlice(useSession().permissions.roles, roomId);
  const role = roles.find(({ level }) => level === powerLevel);
  const isNamed = role?.name !== undefined && role.level > 0;
  return (
    <>
      {isNamed && <Chip tone="echo">{role.name?.slice(0, 40)}</Chip>}
      {partnerServer && (
        <span title={t("partner", { server: partnerServer })}>
          <PartnerChip server={partnerServer} />
        </span>
      )}
    </>
  );
}

/** A name as others may have written it: cut, and kept from turning the direction of what follows. */
export function Name({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { name } = useMember(roomId, userId);
  return <bdi>{shortName(name)}</bdi>;
}
