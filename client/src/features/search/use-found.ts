import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import type { Found, FoundPage } from "~/matrix/search";
import { isSearch, parseSearch } from "~/matrix/search-query";

type FoundState =
  | { readonly status: "idle" | "loading" | "failed" }
  | {
      readonly status: "ready";
      readonly results: readonly Found[];
      readonly highlights: readonly string[];
      /** Fetches the next page; `undefined` at the end. */
      readonly more: (() => void) | undefined;
      readonly isLoadingMore: boolean;
    };

/** What is found for this text: by the server, or (`isHere`) in what this device holds of the room. */
export function useFound(text: string, roomId: RoomId | undefined, isHere: boolean): FoundState {
  const { search, userId } = useSession();
  const query = useMemo(() => parseSearch(text), [text]);
  const isWanted = isSearch(query);
  const answer = useInfiniteQuery({
    queryKey: ["search", userId, roomId, text, isHere],
    enabled: isWanted,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }): Promise<FoundPage> =>
      isHere && roomId
        ? Promise.resolve(search.findHere(query, roomId))
        : search.find(query, roomId, pageParam, signal),
    getNextPageParam: ({ next }) => next,
    // What is on this device changes without anybody saying so.
    staleTime: isHere ? 0 : 15_000,
  });
  if (!isWanted) return { status: "idle" };
  if (answer.isError) return { status: "failed" };
  if (!answer.data) return { status: "loading" };
  return {
    status: "ready",
    results: answer.data.pages.flatMap(({ results }) => results),
    highlights: answer.data.pages[0]?.highlights ?? [],
    more: answer.hasNextPage ? () => void answer.fetchNextPage() : undefined,
    isLoadingMore: answer.isFetchingNextPage,
  };
}
