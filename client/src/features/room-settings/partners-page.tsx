import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import styles from "./room-settings.module.css";

/** Which companies' servers may take part, as the room says. */
export function PartnersPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { partners } = useSlice(useSession().settings.details, roomId);
  if (!partners) return <p>{t("noAcl")}</p>;
  return (
    <>
      <p>{t("aclText")}</p>
      <ServerList title={t("aclAllow")} servers={partners.allow} />
      <ServerList title={t("aclDeny")} servers={partners.deny} />
    </>
  );
}

function ServerList({ title, servers }: { title: string; servers: readonly string[] }) {
  const { t } = useTranslation("room-settings");
  return (
    <section aria-label={title} className={styles.section}>
      <h3>{title}</h3>
      <ul className={styles.addresses}>
        {servers.map((server) => (
          <li key={server}>{server === "*" ? t("aclEverybody") : server}</li>
        ))}
        {servers.length === 0 && <li className={styles.small}>{t("aclNobody")}</li>}
      </ul>
    </section>
  );
}
