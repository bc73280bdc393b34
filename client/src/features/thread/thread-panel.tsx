import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Composer } from "~/features/composer";
import { SidePanel, Timeline } from "~/features/timeline";
import type { EventId, RoomId } from "~/matrix/ids";

/** One thread beside the channel: its messages, with receipts and a composer of their own. */
export function ThreadPanel({ roomId, threadId }: { roomId: RoomId; threadId: EventId }) {
  const { t } = useTranslation("thread");
  const navigate = useNavigate();
  const close = () =>
    void navigate({
      to: "/room/$roomId",
      params: { roomId },
      search: ({ thread: _closed, ...rest }) => rest,
    });
  return (
    <SidePanel title={t("thread")} onClose={close}>
      <Timeline key={threadId} roomId={roomId} threadId={threadId} />
      <Composer key={`composer-${threadId}`} roomId={roomId} threadId={threadId} />
    </SidePanel>
  );
}
