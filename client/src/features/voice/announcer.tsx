import { useEffect, useRef, useState } from "react";
import type { CurrentCall } from "~/calls/types";
import { useCallMembers } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { UserId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";

/** Tells screen readers who comes and goes, and whether one is heard oneself. */
export function Announcer({ call }: { call: CurrentCall }) {
  const { t } = useTranslation("voice");
  const { members } = useSession();
  const inside = useCallMembers(call.roomId);
  const [words, setWords] = useState("");
  const before = useRef<{ users: ReadonlySet<UserId>; isMuted: boolean }>(undefined);
  useEffect(() => {
    const users = new Set(inside.filter(({ isMe }) => !isMe).map(({ userId }) => userId));
    const last = before.current;
    before.current = { users, isMuted: call.isMuted };
    if (!last || call.phase !== "connected") return;
    const nameOf = (userId: UserId) => members.one.read(memberKey(call.roomId, userId)).name;
    const news = [
      ...[...users].filter((id) => !last.users.has(id)).map((id) => t("said.joined", { name: nameOf(id) })),
      ...[...last.users].filter((id) => !users.has(id)).map((id) => t("said.left", { name: nameOf(id) })),
      // Whoever holds a key to talk knows when they do.
      ...(call.isMuted !== last.isMuted && !call.isPushToTalk
        ? [t(call.isMuted ? "said.muted" : "said.unmuted")]
        : []),
    ];
    if (news.length > 0) setWords(news.join(". "));
  }, [inside, call.isMuted, call.isPushToTalk, call.phase, call.roomId, members, t]);
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  );
}
