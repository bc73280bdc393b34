import { useParams, useSearch } from "@tanstack/react-router";
import { Composer } from "~/features/composer";
import { IdentityLine } from "~/features/encryption";
import { Stage, StageCard, useHasStageCard } from "~/features/stage";
import { Timeline } from "~/features/timeline";
import { useRoom } from "~/hooks/rooms";
import { asRoomId } from "~/matrix/ids";
import { cx } from "~/ui/cx";
import { Panel } from "~/ui/panel";
import { JoinScreen } from "./join-screen";
import styles from "./room.module.css";
import { RoomHeader } from "./room-header";
import { SidePanel } from "./side-panel";
import { SpaceScreen } from "./space-screen";
import { type Panel as PanelName, useShownPanel } from "./use-panel";

/** Panels with messages want lines of a readable length. */
const READ_AT_LENGTH: readonly PanelName[] = ["thread", "search", "pins"];

/** A channel: its header, its timeline, its composer, and a panel beside them. */
export function RoomScreen() {
  const { roomId } = useParams({ from: "/shell/room/$roomId" });
  const { event, via } = useSearch({ from: "/shell/room/$roomId" });
  const id = asRoomId(roomId);
  const room = useRoom(id);
  const panel = useShownPanel();
  const hasCard = useHasStageCard(id);
  if (room?.membership !== "join") return <JoinScreen key={id} target={id} via={via ?? []} />;
  if (room.kind === "space") return <SpaceScreen key={id} room={room} />;
  return (
    <div
      className={cx(
        styles.screen,
        (panel || hasCard) && styles.withSide,
        panel && READ_AT_LENGTH.includes(panel) && styles.withWideSide,
      )}
    >
      <Panel label={room.name} className={styles.main}>
        <RoomHeader room={room} />
        <IdentityLine roomId={id} />
        <Stage roomId={id} />
        <Timeline key={id} roomId={id} eventId={event} />
        <Composer key={`composer-${id}`} roomId={id} />
      </Panel>
      {(panel || hasCard) && (
        <div className={styles.beside}>
          <StageCard beside={id} />
          {panel && <SidePanel key={`side-${id}`} roomId={id} panel={panel} />}
        </div>
      )}
    </div>
  );
}
