import { SquarePen } from "lucide-react";
import { VList } from "virtua";
import { openDialog } from "~/hooks/dialogs";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { ChannelRow } from "./channel-row";
import styles from "./channels.module.css";
import { DirectRow } from "./direct-row";
import { Entrances } from "./entrances";
import { ListItem } from "./list-item";
import { Rings } from "./rings";

/** Direct messages by their last word, and rooms that belong to no server. */
export function DirectsColumn() {
  const { t } = useTranslation("channels");
  const { rooms } = useSession();
  const directs = useSlice(rooms.lists, "direct");
  const others = useSlice(rooms.lists, "outside");
  return (
    <>
      <header className={styles.cover}>
        <Rings className={styles.rings} />
        <h2 className={styles.serverName}>{t("directs")}</h2>
        <p className={styles.facts}>{t("conversations", { count: directs.length })}</p>
      </header>
      <Entrances />
      <Button icon={SquarePen} className={styles.compose} onPress={() => openDialog({ kind: "new-message" })}>
        {t("newMessage")}
      </Button>
      <VList className={styles.list} role="list" item={ListItem} aria-label={t("directs")}>
        {directs.length === 0 && others.length === 0 && <p className={styles.nothing}>{t("noDirects")}</p>}
        {directs.map((id) => (
          <DirectRow key={id} id={id} />
        ))}
        {others.length > 0 && <h3 className={styles.category}>{t("others")}</h3>}
        {others.map((id: RoomId) => (
          <ChannelRow key={id} id={id} serverId={undefined} />
        ))}
      </VList>
    </>
  );
}
