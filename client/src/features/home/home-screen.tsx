import { Link } from "@tanstack/react-router";
import { Compass, Plus, SquarePen } from "lucide-react";
import { InvitationCard } from "~/features/invites";
import { Logo } from "~/features/servers";
import { openDialog } from "~/hooks/dialogs";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Panel } from "~/ui/panel";
import styles from "./home.module.css";

/** What is shown before a channel is chosen: invitations, and ways to begin. */
export function HomeScreen() {
  const { t } = useTranslation("home");
  const invited = useSlice(useSession().rooms.lists, "invited");
  return (
    <Panel label={t("label")} className={styles.main}>
      <div className={styles.middle}>
        <Logo size={72} />
        <h1>{t("title")}</h1>
        <p>{t("text")}</p>
        <div className={styles.acts}>
          <Button icon={SquarePen} onPress={() => openDialog({ kind: "new-message" })}>
            {t("newMessage")}
          </Button>
          <Button icon={Plus} onPress={() => openDialog({ kind: "add-server" })}>
            {t("addServer")}
          </Button>
          <Link to="/explore" className={styles.link}>
            <Compass size={16} strokeWidth={1.9} aria-hidden />
            {t("explore")}
          </Link>
        </div>
        {invited.length > 0 && (
          <section className={styles.invited} aria-label={t("invitations")}>
            <h2>{t("invitations")}</h2>
            {invited.map((id) => (
              <InvitationCard key={id} roomId={id} />
            ))}
          </section>
        )}
      </div>
    </Panel>
  );
}
