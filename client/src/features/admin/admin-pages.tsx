import { Link, useParams } from "@tanstack/react-router";
import {
  Activity,
  Blocks,
  BookUser,
  Boxes,
  FileClock,
  Flag,
  Gauge,
  Image,
  type LucideIcon,
  Network,
  Users,
  Volume2,
} from "lucide-react";
import type { ComponentType } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { ActDialog } from "./act";
import styles from "./admin.module.css";
import { ApplicationsPage } from "./applications";
import { AuditPage } from "./audit";
import { CallsPage } from "./calls";
import { DirectoryPage } from "./directory";
import { FederationPage } from "./federation";
import { MediaPage } from "./media";
import { OverviewPage } from "./overview";
import { ReportsPage } from "./reports";
import { RoomsPage } from "./rooms";
import { UsersPage } from "./users";

const PAGES: readonly { id: string; icon: LucideIcon; Page: ComponentType }[] = [
  { id: "overview", icon: Gauge, Page: OverviewPage },
  { id: "users", icon: Users, Page: UsersPage },
  { id: "rooms", icon: Boxes, Page: RoomsPage },
  { id: "federation", icon: Network, Page: FederationPage },
  { id: "media", icon: Image, Page: MediaPage },
  { id: "calls", icon: Volume2, Page: CallsPage },
  { id: "reports", icon: Flag, Page: ReportsPage },
  { id: "directory", icon: BookUser, Page: DirectoryPage },
  { id: "applications", icon: Blocks, Page: ApplicationsPage },
  { id: "audit", icon: FileClock, Page: AuditPage },
];

/** The pages at the left, one of them beside. The server judges every request anew. */
export function AdminPages() {
  const { t } = useTranslation("admin");
  const { page } = useParams({ from: "/shell/admin/$page" });
  const { Page } = PAGES.find(({ id }) => id === page) ?? { Page: OverviewPage };
  return (
    <main className={styles.screen} aria-label={t("title")}>
      <nav className={styles.nav} aria-label={t("pages")}>
        <h1 className={styles.brand}>
          <Activity size={18} aria-hidden /> {t("title")}
        </h1>
        <ul className={styles.links}>
          {PAGES.map(({ id, icon: Icon }) => (
            <li key={id}>
              <Link
                to="/admin/$page"
                params={{ page: id }}
                className={styles.link}
                activeOptions={{ includeSearch: false }}
              >
                <Icon size={17} strokeWidth={1.9} aria-hidden />
                {t(`page.${id}`)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className={styles.page}>
        <Page />
      </div>
      <ActDialog />
    </main>
  );
}
