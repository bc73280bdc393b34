import { useCurrentServer } from "~/features/servers";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import styles from "./channels.module.css";
import { DirectsColumn } from "./directs-column";
import { Entrances } from "./entrances";
import { ServerCard } from "./server-card";
import { ServerChannels } from "./server-channels";

/** The channels of the current server, or direct messages. */
export function ChannelColumn({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("channels");
  const { serverId } = useCurrentServer();
  return (
    <nav aria-label={t("column")} data-region="" className={cx(styles.column, className)}>
      {serverId ? (
        <>
          <ServerCard serverId={serverId} />
          <Entrances />
          <ServerChannels key={serverId} serverId={serverId} />
        </>
      ) : (
        <DirectsColumn />
      )}
    </nav>
  );
}
