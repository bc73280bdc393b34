import { Ban, Globe, Hash, Info, KeyRound, type LucideIcon, Users, Webhook } from "lucide-react";
import { useState } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components/Tabs";
import { IntegrationsPage } from "~/features/integrations";
import { useAdminRight } from "~/hooks/admin-right";
import { usePermissions } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Dialog } from "~/ui/dialog";
import { AccessPage } from "./access-page";
import { AddressesPage } from "./addresses-page";
import { BansPage } from "./bans-page";
import { OverviewPage } from "./overview-page";
import { PartnersPage } from "./partners-page";
import { RolesPage } from "./roles-page";
import styles from "./room-settings.module.css";

const PAGES = [
  { id: "overview", icon: Info, Page: OverviewPage },
  { id: "access", icon: KeyRound, Page: AccessPage },
  { id: "roles", icon: Users, Page: RolesPage },
  { id: "bans", icon: Ban, Page: BansPage },
  { id: "addresses", icon: Hash, Page: AddressesPage },
  { id: "partners", icon: Globe, Page: PartnersPage },
  { id: "integrations", icon: Webhook, Page: IntegrationsPage },
] as const satisfies readonly {
  id: string;
  icon: LucideIcon;
  Page: (props: { roomId: RoomId }) => unknown;
}[];

/** The settings of a channel, category or server. What this account may not change is shown and cannot be changed. */
export function RoomSettings({ roomId, onClose }: { roomId: RoomId; onClose: () => void }) {
  const { t } = useTranslation("room-settings");
  const room = useRoom(roomId);
  const [page, setPage] = useState("overview");
  const { manageWebhooks } = usePermissions(roomId);
  const isAdministrator = useAdminRight();
  if (room?.membership !== "join") return null;
  // Of webhooks nobody else is told.
  const hasWebhooks = room.kind !== "space" && (manageWebhooks || isAdministrator);
  const pages = PAGES.filter(({ id }) => id !== "integrations" || hasWebhooks);
  return (
    <Dialog isOpen size="wide" title={t("title", { name: room.name })} onClose={onClose}>
      <Tabs
        // Arrows of all four directions move then, also where a narrow window lays them in a row.
        orientation="vertical"
        selectedKey={page}
        onSelectionChange={(key) => setPage(String(key))}
        className={styles.tabs ?? ""}
      >
        <TabList aria-label={t("pages")} className={styles.list ?? ""}>
          {pages.map(({ id, icon: Icon }) => (
            <Tab key={id} id={id} className={styles.tab ?? ""}>
              <Icon size={16} strokeWidth={1.9} aria-hidden />
              {t(`page.${id}`)}
            </Tab>
          ))}
        </TabList>
        {pages.map(({ id, Page }) => (
          <TabPanel key={id} id={id} className={styles.page ?? ""}>
            <Page roomId={roomId} />
          </TabPanel>
        ))}
      </Tabs>
    </Dialog>
  );
}
