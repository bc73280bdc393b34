import type { StreamStats } from "~/calls/types";
import { useCallStats, useCurrentCall } from "~/hooks/calls";
import { useMember } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Dialog } from "~/ui/dialog";
import styles from "./call-details.module.css";

const kbps = (bitrate: number) => `${Math.round(bitrate / 1_000)} kbit/s`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** The numbers behind the bars: for who wants to know why it sounds like that. */
export function CallDetails({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("voice");
  const call = useCurrentCall();
  const { quality, roundTripMs, streams, sfus } = useCallStats();
  if (!call) return null;
  return (
    <Dialog title={t("details")} isOpen onClose={onClose} size="wide">
      <dl className={styles.facts}>
        <dt>{t("connection")}</dt>
        <dd>{t(`quality.${quality}`)}</dd>
        <dt>{t("roundTrip")}</dt>
        <dd className="num">{roundTripMs === undefined ? "–" : `${roundTripMs} ms`}</dd>
        <dt>{t("encryption")}</dt>
        <dd>{call.isEncrypted ? t("encrypted") : t("notEncrypted")}</dd>
        <dt>{t("servers")}</dt>
        <dd className={styles.servers}>{sfus.join(", ") || "–"}</dd>
      </dl>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t("stream")}</th>
              <th scope="col">{t("codec")}</th>
              <th scope="col">{t("layers")}</th>
              <th scope="col">{t("bitrate")}</th>
              <th scope="col">{t("loss")}</th>
              <th scope="col">{t("jitter")}</th>
            </tr>
          </thead>
          <tbody className="num">
            {streams.map((stream) => (
              <StreamRow
                key={`${stream.from ?? "me"}/${stream.source}`}
                roomId={call.roomId}
                stream={stream}
              />
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}

function StreamRow({ roomId, stream }: { roomId: RoomId; stream: StreamStats }) {
  const { t } = useTranslation("voice");
  const layers = stream.layers.map(({ height, fps }) => `${height}p${fps}`).join(", ");
  return (
    <tr>
      <th scope="row">
        {stream.from ? <Name roomId={roomId} userId={stream.from} /> : t("you")} ·{" "}
        {t(`source.${stream.source}`)}
      </th>
      <td>{stream.codec || "–"}</td>
      <td>{layers || "–"}</td>
      <td>{kbps(stream.bitrate)}</td>
      <td>{percent(stream.loss)}</td>
      <td>{stream.jitterMs} ms</td>
    </tr>
  );
}

function Name({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  return useMember(roomId, userId).name;
}
