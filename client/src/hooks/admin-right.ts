import { useQuery } from "@tanstack/react-query";
import { useSession } from "./session";

/** Whether this account may administrate the server; `false` until the server has said so. */
export function useAdminRight(): boolean {
  const { tokens, userId, client } = useSession();
  const { data } = useQuery({
    queryKey: ["admin-right", userId],
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async () => {
      const token = await tokens.fresh();
      const response = await fetch(`${client.baseUrl}/_echorift/admin/v1/whoami`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      // Servers without these pages answer with the client's own page, or not at all.
      return response.ok && response.headers.get("content-type")?.includes("application/json") === true;
    },
  });
  return data ?? false;
}
