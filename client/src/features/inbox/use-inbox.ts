import { useQuery } from "@tanstack/react-query";
import { useSession, useSlice } from "~/hooks/session";
import type { InboxMessage, Knock } from "~/matrix/inbox";

/** How much waits: unread mentions everywhere, and invitations. */
export function useInboxCount(): number {
  const { rooms, unread } = useSession();
  const { mentions } = useSlice(unread.sums, "everything");
  return mentions + useSlice(rooms.lists, "invited").length;
}

interface InboxContent {
  state: "loading" | "failed" | "ready";
  messages: readonly InboxMessage[];
  knocks: readonly Knock[];
  retry: () => void;
}

/** The inbox's messages and knocks, asked for anew when something new was counted or something was done. */
export function useInbox(): InboxContent {
  const { inbox, unread } = useSession();
  const { mentions, threads } = useSlice(unread.sums, "everything");
  const done = useSlice(inbox.done, "done");
  const { data, status, refetch } = useQuery({
    queryKey: ["inbox", mentions, threads, done],
    placeholderData: (before) => before,
    staleTime: 5_000,
    queryFn: async () => ({ messages: await inbox.messages(), knocks: inbox.knocks() }),
  });
  return {
    state: status === "pending" ? "loading" : status === "error" ? "failed" : "ready",
    messages: data?.messages ?? [],
    knocks: data?.knocks ?? [],
    retry: () => void refetch(),
  };
}
