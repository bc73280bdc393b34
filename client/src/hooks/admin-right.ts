import { useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { useSession } from "./session";

const Whoami = v.object({ is_administrator: v.boolean() });

/** Whether this account may administrate the server; `false` until the server has said so. */
export function useAdminRight(): boolean {
  const { own } = useSession();
  const { data } = useQuery({
    queryKey: ["admin-right"],
    staleTime: 600_000,
    retry: false,
    queryFn: ({ signal }) => own.get(Whoami, "admin/v1/whoami", {}, signal),
  });
  return data?.is_administrator ?? false;
}
