import { useQuery } from "@tanstack/react-query";
import { useSession } from "~/hooks/session";
import { localpartOf } from "~/matrix/ids";

/** The display name, which the directory gave; until it is known, the name that was typed. */
export function useOwnName(): string {
  const { userId, client } = useSession();
  const { data } = useQuery({
    queryKey: ["own-name", userId],
    queryFn: async () => (await client.getProfileInfo(userId, "displayname")).displayname ?? null,
  });
  return data || localpartOf(userId);
}
