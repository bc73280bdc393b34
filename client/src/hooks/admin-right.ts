import { useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { useSession } from "./session";

const Whoami = v.object({ is_administrator: v.boolean() });
/** Rights change seldom, and the server judges every request. */
const FRESH_MS = 600_000;

/** Asks the server whether this account administers it. */
export function useWhoami() {
  const { own } = useSession();
  return useQuery({
    queryKey: ["whoami"],
    queryFn: ({ signal }) => own.get(Whoami, "admin/v1/whoami", {}, signal),
    staleTime: FRESH_MS,
    retry: false,
  });
}

/** Whether this account may administrate the server; `false` until the server has said so. */
export const useAdminRight = (): boolean => useWhoami().data?.is_administrator ?? false;
