import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import type * as v from "valibot";
import { useSession } from "~/hooks/session";
import type { Query } from "~/matrix/own-api";
import type { pageOf } from "./schemas";

const BASE = "admin/v1";

/** One document of the administration API; `everyMs` asks again while the tab is seen. */
export function useAdmin<T extends v.GenericSchema>(
  schema: T,
  path: string,
  { query, everyMs }: { query?: Query; everyMs?: number } = {},
) {
  const { own } = useSession();
  return useQuery({
    queryKey: ["admin", path, query ?? {}],
    queryFn: ({ signal }) => own.get(schema, `${BASE}/${path}`, query, signal),
    ...(everyMs ? { refetchInterval: everyMs, refetchIntervalInBackground: false } : {}),
  });
}

/** A list, page by page as far as somebody has asked. */
export function useAdminList<T extends v.GenericSchema>(
  item: ReturnType<typeof pageOf<T>>,
  path: string,
  query: Query = {},
) {
  const { own } = useSession();
  const list = useInfiniteQuery({
    queryKey: ["admin", path, query],
    queryFn: ({ pageParam, signal }) =>
      own.get(item, `${BASE}/${path}`, { ...query, from: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  return {
    list,
    rows: list.data?.pages.flatMap((page) => page.items) ?? [],
    total: list.data?.pages[0]?.total ?? undefined,
  };
}

/** Writes by the administration API; all that the pages show is asked for again afterwards. */
export function useAdminSend() {
  const { own } = useSession();
  const queries = useQueryClient();
  return async <T extends v.GenericSchema>(
    schema: T,
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ) => {
    const answer = await own.send(schema, method, `${BASE}/${path}`, body);
    await queries.invalidateQueries({ queryKey: ["admin"] });
    return answer;
  };
}
