import { useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { asEventId, asUserId, type RoomId } from "~/matrix/ids";
import { Spinner } from "~/ui/marks";
import type { Panel } from "./use-panel";

const MemberPanel = lazy(() => import("~/features/members").then((all) => ({ default: all.MemberPanel })));
const ThreadPanel = lazy(() => import("~/features/thread").then((all) => ({ default: all.ThreadPanel })));
const ThreadList = lazy(() => import("~/features/thread").then((all) => ({ default: all.ThreadList })));
const PinsPanel = lazy(() => import("~/features/pins").then((all) => ({ default: all.PinsPanel })));
const ProfileCard = lazy(() => import("~/features/profile").then((all) => ({ default: all.ProfileCard })));
const SearchPanel = lazy(() => import("~/features/search").then((all) => ({ default: all.SearchPanel })));

/** What the panel beside a channel holds; each is fetched when it is first opened. */
export function PanelContent({ roomId, panel }: { roomId: RoomId; panel: Panel }) {
  const { t } = useTranslation("ui");
  return (
    <Suspense fallback={<Spinner label={t("loading")} />}>
      <Chosen roomId={roomId} panel={panel} />
    </Suspense>
  );
}

function Chosen({ roomId, panel }: { roomId: RoomId; panel: Panel }) {
  const { thread, user } = useSearch({ from: "/shell/room/$roomId" });
  switch (panel) {
    case "members":
      return <MemberPanel roomId={roomId} />;
    case "pins":
      return <PinsPanel roomId={roomId} />;
    case "search":
      return <SearchPanel roomId={roomId} />;
    case "threads":
      return <ThreadList roomId={roomId} />;
    case "thread":
      return thread ? <ThreadPanel key={thread} roomId={roomId} threadId={asEventId(thread)} /> : null;
    case "profile":
      return user ? <ProfileCard key={user} roomId={roomId} userId={asUserId(user)} /> : null;
  }
}
