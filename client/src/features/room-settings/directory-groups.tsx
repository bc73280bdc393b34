import { useQuery } from "@tanstack/react-query";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { directoryGroups } from "~/matrix/directory-part";
import type { RoomId } from "~/matrix/ids";
import { Notice } from "~/ui/marks";

/** Which groups of the company's directory bring people here. */
export function DirectoryGroups({ roomId }: { roomId: RoomId }) {
  const { t, i18n } = useTranslation("room-settings");
  const { own } = useSession();
  const { data } = useQuery({
    queryKey: ["directory-groups", roomId],
    queryFn: () => directoryGroups(own, roomId),
  });
  if (!data?.length) return null;
  const names = data.map(({ name, people }) => t("directoryGroup", { name, count: people }));
  return (
    <Notice>{t("directoryGroups", { groups: new Intl.ListFormat(i18n.language).format(names) })}</Notice>
  );
}
