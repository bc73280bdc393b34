import { useEffect, useRef, useState } from "react";
import { shortName } from "~/hooks/name-list";
import { usePreferences } from "~/hooks/preferences";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";
import type { TimelineItem } from "~/matrix/timeline";
import { summaryOf } from "./summary";

/** At most one announcement in so many milliseconds; what came meanwhile is told together. */
const PAUSE_MS = 2_000;
const WORDS_MAX = 160;

/** Tells screen readers of new messages of the open channel, in batches. */
export function Announcer({ roomId, items }: { roomId: RoomId; items: readonly TimelineItem[] }) {
  const { t } = useTranslation("timeline");
  const { members } = useSession();
  const { announcesMessages } = usePreferences();
  const [words, setWords] = useState("");
  const toldUpTo = useRef<number>(undefined);
  const isResting = useRef(false);
  const latest = useRef(items);
  latest.current = items;

  useEffect(() => {
    const tell = () => {
      const last = latest.current.findLast((item) => item.kind === "message");
      const before = toldUpTo.current;
      if (last?.kind !== "message") return;
      toldUpTo.current = Math.max(before ?? 0, last.message.ts);
      if (before === undefined) return;
      const fresh = latest.current.flatMap((item) =>
        item.kind === "message" && item.message.ts > before && !item.message.isOwn ? [item.message] : [],
      );
      const [only] = fresh;
      if (!only) return;
      const name = shortName(members.one.peek(memberKey(roomId, only.sender)).name);
      setWords(
        fresh.length === 1
          ? `${name}: ${summaryOf(t, only).slice(0, WORDS_MAX)}`
          : t("announceMany", { count: fresh.length }),
      );
      isResting.current = true;
      setTimeout(() => {
        isResting.current = false;
        tell();
      }, PAUSE_MS);
    };
    if (!isResting.current && items.length > 0) tell();
  }, [items, members, roomId, t]);

  return (
    <div aria-live="polite" className="sr-only">
      {announcesMessages ? words : ""}
    </div>
  );
}
