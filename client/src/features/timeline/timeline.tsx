import { useNavigate } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { MediaViewer } from "~/features/media-viewer";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asEventId, type EventId, type RoomId, type UserId } from "~/matrix/ids";
import type { TimelineItem } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { Empty, Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { Announcer } from "./announcer";
import { DateJump } from "./date-jump";
import { DayDivider, NewDivider } from "./dividers";
import { MessageDialogs } from "./message-dialogs";
import { MessageRow } from "./message-row";
import { StateRow } from "./state-row";
import styles from "./timeline.module.css";
import { TimelineStart } from "./timeline-start";
import { TypingLine } from "./typing-line";
import { useFollowEnd } from "./use-follow-end";
import { useRowFocus } from "./use-row-focus";
import { useTimeline } from "./use-timeline";
import { VirtualLog, type VirtualLogHandle } from "./virtual-log";

interface TimelineProps {
  roomId: RoomId;
  /** One thread instead of the room's own messages. */
  threadId?: EventId | undefined;
  /** Shows this event first; another one later is a jump. */
  eventId?: string | undefined;
}

/** The messages of a room or thread. */
export function Timeline({ roomId, threadId, eventId }: TimelineProps) {
  const { t } = useTranslation("timeline");
  const { timelines } = useSession();
  const navigate = useNavigate();
  const room = useRoom(roomId);
  const log = useRef<VirtualLogHandle>(null);
  const wanted = eventId === undefined ? undefined : asEventId(eventId);
  const { key, snapshot } = useTimeline(roomId, threadId, wanted);
  const readers = useSlice(timelines.readers, key);
  const { items, status, focus } = snapshot;
  const { newBelow, isAtEnd, setAtEnd } = useFollowEnd(key, snapshot, log);
  const { focusedKey, onKeyDown } = useRowFocus(items, log);
  const targetKey = useJumps(focus, items, log);

  const jump = useCallback(
    (target: EventId) =>
      void timelines.jumpTo(key, target).catch(() => toast({ text: t("jumpFailed"), tone: "danger" })),
    [timelines, key, t],
  );
  // The address names another event than before.
  const opened = useRef(wanted);
  useEffect(() => {
    if (wanted === opened.current) return;
    opened.current = wanted;
    if (wanted) jump(wanted);
  }, [wanted, jump]);

  const openThread = useCallback(
    (thread: EventId) =>
      void navigate({ to: "/room/$roomId", params: { roomId }, search: (search) => ({ ...search, thread }) }),
    [navigate, roomId],
  );
  const openProfile = useCallback(
    (user: UserId) =>
      void navigate({ to: "/room/$roomId", params: { roomId }, search: { panel: "profile", user } }),
    [navigate, roomId],
  );
  const { start, end } = snapshot;
  const onNear = useCallback(
    (side: "start" | "end", isScrolled: boolean) => {
      const there = side === "start" ? start : end;
      // What has failed is tried again when somebody moves, not by itself; so is what few want to see.
      if (there === "more" || ((there === "failed" || there === "quiet") && isScrolled)) {
        timelines.loadMore(key, side === "start" ? "back" : "forward");
      }
    },
    [timelines, key, start, end],
  );
  const renderRow = useCallback(
    (item: TimelineItem) => {
      switch (item.kind) {
        case "day":
          return <DayDivider item={item} />;
        case "new":
          return <NewDivider item={item} />;
        case "state":
          return <StateRow item={item} />;
        case "message":
          return (
            <MessageRow
              item={item}
              roomId={roomId}
              threadId={threadId}
              readers={readers.get(item.key)}
              isTarget={targetKey === item.key}
              onJump={jump}
              openThread={openThread}
              openProfile={openProfile}
            />
          );
      }
    },
    [roomId, threadId, readers, targetKey, jump, openThread, openProfile],
  );

  const toEnd = () => {
    if (snapshot.end === "end") log.current?.toEnd();
    else void timelines.jumpToEnd(key).then(() => log.current?.toEnd());
  };
  if (status === "failed") {
    return (
      <div className={styles.frame}>
        <Empty title={t("failed")}>
          <Button onPress={() => void timelines.jumpToEnd(key)}>{t("retry")}</Button>
        </Empty>
      </div>
    );
  }
  return (
    <div className={styles.frame}>
      <Announcer roomId={roomId} items={snapshot.end === "end" ? items : NO_ITEMS} />
      {snapshot.hasUnreadBefore && (
        <Button
          className={styles.unreadAbove}
          icon={ArrowUp}
          onPress={() => void timelines.jumpToFirstUnread(key)}
        >
          {t("toFirstUnread")}
        </Button>
      )}
      <VirtualLog
        ref={log}
        items={items}
        label={threadId ? t("threadMessages") : t("messages")}
        header={
          status === "loading" ? (
            <Spinner label={t("loading")} />
          ) : (
            <TimelineStart
              name={room?.name ?? ""}
              isThread={threadId !== undefined}
              isDirect={room?.kind === "direct"}
              start={snapshot.start}
              onMore={() => timelines.loadMore(key, "back")}
            />
          )
        }
        keptKey={focusedKey}
        isLive={snapshot.end === "end"}
        onNear={onNear}
        onAtEnd={setAtEnd}
        onKeyDown={onKeyDown}
      >
        {renderRow}
      </VirtualLog>
      {!isAtEnd && status === "ready" && (
        <Button className={styles.toEnd} icon={ArrowDown} onPress={toEnd}>
          {newBelow > 0 ? t("newBelow", { count: newBelow }) : t("toEnd")}
        </Button>
      )}
      {!threadId && <TypingLine roomId={roomId} />}
      {!threadId && <MediaViewer />}
      {!threadId && <MessageDialogs />}
      {!threadId && <DateJump roomId={roomId} />}
    </div>
  );
}

const NO_ITEMS: readonly TimelineItem[] = [];

/** Scrolls to where a jump led, once for each, and tells which row it is. */
function useJumps(
  focus: { readonly eventId: EventId; readonly jump: number } | undefined,
  items: readonly TimelineItem[],
  log: React.RefObject<VirtualLogHandle | null>,
): string | undefined {
  const [target, setTarget] = useState<string>();
  const done = useRef(0);
  // Before the rows are painted elsewhere.
  useLayoutEffect(() => {
    if (!focus || focus.jump === done.current || items.length === 0) return;
    done.current = focus.jump;
    const row = items.find((item) =>
      item.kind === "message"
        ? item.message.eventId === focus.eventId
        : item.kind === "state" && item.changes.some(({ eventId }) => eventId === focus.eventId),
    );
    setTarget(row?.key);
    if (row) log.current?.toKey(row.key, "center");
  }, [focus, items, log]);
  return target;
}
