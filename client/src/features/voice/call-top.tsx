import { Link } from "@tanstack/react-router";
import { Gauge, Leaf } from "lucide-react";
import { useState } from "react";
import type { CurrentCall } from "~/calls/types";
import { useCallStats } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { IconButton, IconToggle } from "~/ui/button";
import { CallDetails } from "./call-details";
import { QualityMark } from "./quality-mark";
import styles from "./voice.module.css";
import { Waveform } from "./waveform";

/** Where we are, and how well it goes. */
export function CallTop({ call, name }: { call: CurrentCall; name: string }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const [showsDetails, setShowsDetails] = useState(false);
  return (
    <div className={styles.top}>
      <Waveform />
      <div className={styles.where}>
        <Link to="/room/$roomId" params={{ roomId: call.roomId }} className={styles.name ?? ""}>
          {name}
        </Link>
        <Connection call={call} />
      </div>
      <IconToggle
        icon={Leaf}
        label={t("lowBandwidth")}
        isSelected={call.isLowBandwidth}
        onChange={(lowBandwidth) => calls.changeSettings({ lowBandwidth })}
        className={styles.tool}
      />
      <IconButton
        icon={Gauge}
        label={t("details")}
        onPress={() => setShowsDetails(true)}
        className={styles.tool}
      />
      {showsDetails && <CallDetails onClose={() => setShowsDetails(false)} />}
    </div>
  );
}

function Connection({ call }: { call: CurrentCall }) {
  const { t } = useTranslation("voice");
  const { quality, roundTripMs } = useCallStats();
  const isUp = call.phase === "connected";
  const words = isUp && quality !== "unknown" ? t(`quality.${quality}`) : t(`phase.${call.phase}`);
  return (
    <span className={styles.sub}>
      <QualityMark quality={isUp ? quality : "lost"} />
      <span className="num">
        {words}
        {isUp && roundTripMs !== undefined && ` · ${roundTripMs} ms`}
      </span>
    </span>
  );
}
