import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "~/hooks/session";
import { AccessTokens } from "~/matrix/access-tokens";
import type { UserId } from "~/matrix/ids";

const KEY = "access-tokens";

function useAccessTokens() {
  const { own } = useSession();
  const queries = useQueryClient();
  const api = useMemo(() => new AccessTokens(own), [own]);
  return { api, renew: () => queries.invalidateQueries({ queryKey: [KEY] }) };
}

/** The tokens of one's own account, or of one of one's bots. */
export function useTokens(bot: UserId | undefined) {
  const { api, renew } = useAccessTokens();
  const list = useQuery({
    queryKey: [KEY, "of", bot ?? "self"],
    queryFn: ({ signal }) => api.list(bot, signal),
  });
  return { api, renew, list };
}

/** One's own bots. */
export function useBots() {
  const { api, renew } = useAccessTokens();
  const list = useQuery({ queryKey: [KEY, "bots"], queryFn: ({ signal }) => api.bots(signal) });
  return { api, renew, list };
}
