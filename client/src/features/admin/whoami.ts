import { useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { useSession } from "~/hooks/session";

const Whoami = v.object({ user_id: v.string(), is_administrator: v.boolean() });
/** Rights change seldom, and the server judges every request. */
const FRESH_MS = 600_000;

/** Whether this account administers the server. */
export function useWhoami() {
  const { own } = useSession();
  return useQuery({
    queryKey: ["whoami"],
    queryFn: ({ signal }) => own.get(Whoami, "admin/v1/whoami", {}, signal),
    staleTime: FRESH_MS,
    retry: false,
  });
}

/** True once the server has said so. */
export const useIsAdministrator = (): boolean => useWhoami().data?.is_administrator ?? false;
