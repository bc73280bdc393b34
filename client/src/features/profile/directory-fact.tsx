import { useQuery } from "@tanstack/react-query";
import { UsersRound } from "lucide-react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { directoryMark } from "~/matrix/directory-part";
import type { RoomId, UserId } from "~/matrix/ids";

/** That the company's directory brought somebody here, or gave them their role: what people change of it comes back. */
export function DirectoryFact({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("profile");
  const { own } = useSession();
  const { data } = useQuery({
    queryKey: ["directory-mark", roomId, userId],
    queryFn: () => directoryMark(own, roomId, userId),
  });
  if (!data?.group) return null;
  return (
    <li>
      <UsersRound size={15} strokeWidth={1.9} aria-hidden />{" "}
      {t(data.is_member ? "broughtBy" : "roleBy", { group: data.group })}
    </li>
  );
}
