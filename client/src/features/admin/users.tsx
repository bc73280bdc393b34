import { UserPlus } from "lucide-react";
import { useState } from "react";
import { useMediaUrl } from "~/hooks/media";
import { useTranslation } from "~/i18n/use-translation";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Chip } from "~/ui/marks";
import { Select } from "~/ui/select";
import type { Column } from "~/ui/table";
import styles from "./admin.module.css";
import { CreateUser } from "./create-user";
import { FilterField } from "./filter-field";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { useAdminList } from "./queries";
import { pageOf, User } from "./schemas";
import { useFilters } from "./search";
import { UserDrawer } from "./user-drawer";

const STATES = ["all", "active", "locked", "suspended", "deactivated", "administrator", "guest"] as const;
type State = (typeof STATES)[number];

export function UsersPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { q, state, item, set } = useFilters();
  const [isCreating, setCreating] = useState(false);
  const { list, rows, total } = useAdminList(pageOf(User), "users", { search: q, state });
  const columns: Column<User>[] = [
    { id: "name", title: t("user.name"), cell: (user) => <UserCell user={user} /> },
    { id: "state", title: t("user.state"), cell: (user) => <UserMarks user={user} /> },
    {
      id: "source",
      title: t("user.source"),
      isExtra: true,
      cell: ({ source }) => t(`source.${source ?? "local"}`),
    },
    {
      id: "devices",
      title: t("user.sessions"),
      isNumber: true,
      isExtra: true,
      cell: ({ devices }) => format.count(devices),
    },
    {
      id: "seen",
      title: t("user.seen"),
      isExtra: true,
      cell: ({ last_seen_ts }) => format.ago(last_seen_ts),
    },
  ];
  return (
    <>
      <ListPage
        title={t("page.users")}
        text={total === undefined ? "" : t("user.total", { count: total })}
        tools={
          <Button kind="primary" icon={UserPlus} onPress={() => setCreating(true)}>
            {t("user.create")}
          </Button>
        }
        filters={
          <>
            <FilterField label={t("user.search")} />
            <Select<State>
              label={t("user.state")}
              hidesLabel
              value={STATES.find((one) => one === state) ?? "all"}
              options={STATES.map((id) => ({ id, label: t(`userState.${id}`) }))}
              onChange={(next) => set({ state: next === "all" ? undefined : next })}
            />
          </>
        }
        list={list}
        rows={rows}
        columns={columns}
        idOf={({ user_id }) => user_id}
        emptyTitle={t("user.none")}
        onOpen={(userId) => set({ item: userId })}
        openId={item}
        drawer={
          item?.startsWith("@") && (
            <UserDrawer key={item} userId={item} onClose={() => set({ item: undefined })} />
          )
        }
      />
      {isCreating && <CreateUser onClose={() => setCreating(false)} />}
    </>
  );
}

function UserCell({ user }: { user: User }) {
  const src = useMediaUrl(user.avatar_url ?? undefined, 30);
  const name = user.displayname || user.user_id;
  return (
    <span className={styles.who}>
      <Avatar name={name} seed={user.user_id} src={src} size={30} />
      <span className={styles.whoText}>
        <span>{name}</span>
        {user.displayname && <small>{user.user_id}</small>}
      </span>
    </span>
  );
}

export function UserMarks({ user }: { user: User }) {
  const { t } = useTranslation("admin");
  const isActive = !user.is_locked && !user.is_suspended && !user.is_deactivated;
  return (
    <span className={styles.marks}>
      {user.is_administrator && <Chip tone="echo">{t("userState.administrator")}</Chip>}
      {user.is_guest && <Chip>{t("userState.guest")}</Chip>}
      {user.is_locked && <Chip tone="live">{t("userState.locked")}</Chip>}
      {user.is_suspended && <Chip tone="ember">{t("userState.suspended")}</Chip>}
      {user.is_deactivated && <Chip>{t("userState.deactivated")}</Chip>}
      {isActive && !user.is_administrator && !user.is_guest && <Chip>{t("userState.active")}</Chip>}
    </span>
  );
}
