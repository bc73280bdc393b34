import { useSearch } from "@tanstack/react-router";
import { type ComponentType, lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { asEventId, asUserId, type EventId, type RoomId, type UserId } from "~/matrix/ids";
import { Spinner } from "~/ui/marks";
import type { Panel } from "./use-panel";

interface PanelProps {
  roomId: RoomId;
  threadId?: EventId;
  userId?: UserId;
}
type Feature = Record<string, ComponentType<PanelProps> | undefined>;
const features = import.meta.glob<Feature>("../{members,thread,pins,search,profile}/index.ts");

const Nothing: ComponentType<PanelProps> = () => null;

async function load(feature: string, name: string): Promise<{ default: ComponentType<PanelProps> }> {
  const module = await features[`../${feature}/index.ts`]?.();
  return { default: module?.[name] ?? Nothing };
}

const MemberPanel = lazy(() => load("members", "MemberPanel"));
const ThreadPanel = lazy(() => load("thread", "ThreadPanel"));
const ThreadList = lazy(() => load("thread", "ThreadList"));
const PinsPanel = lazy(() => load("pins", "PinsPanel"));
const SearchPanel = lazy(() => load("search", "SearchPanel"));
const ProfileCard = lazy(() => load("profile", "ProfileCard"));

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
