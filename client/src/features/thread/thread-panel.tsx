import { Composer } from "~/features/composer";
import { Timeline } from "~/features/timeline";
import type { EventId, RoomId } from "~/matrix/ids";

/** One thread beside the channel: its messages, with receipts and a composer of their own. */
export function ThreadPanel({ roomId, threadId }: { roomId: RoomId; threadId: EventId }) {
  return (
    <>
      <Timeline key={threadId} roomId={roomId} threadId={threadId} />
      <Composer key={`composer-${threadId}`} roomId={roomId} threadId={threadId} />
    </>
  );
}
