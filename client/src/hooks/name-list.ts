import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";
import { useSession } from "./session";

const NAME_LENGTH_MAX = 80;
/** A name as others may have written it, cut. */
export const shortName = (name: string): string =>
  name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;

/** "Anna, Ben and 3 others": the first `max` by name. The names are those of now; they are not watched. */
export function useNameList(roomId: RoomId, users: readonly UserId[], max: number): string {
  const { t, i18n } = useTranslation("ui");
  const { members } = useSession();
  const names = users
    .slice(0, max)
    .map((userId) => shortName(members.one.read(memberKey(roomId, userId)).name));
  const others = users.length - names.length;
  if (others > 0) names.push(t("others", { count: others }));
  return new Intl.ListFormat(i18n.language).format(names);
}
