import { Play, Power, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Chip, Notice } from "~/ui/marks";
import { Reason } from "~/ui/reason";
import type { Column } from "~/ui/table";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { AdminHook } from "./applications-schemas";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { Drawer, Facts } from "./parts";
import { useAdminList, useAdminSend } from "./queries";
import { Done, pageOf } from "./schemas";
import { useFilters } from "./search";

const TONES = { working: "echo", failing: "live", off: "neutral" } as const;

/** All webhooks of this server. */
export function Hooks({ choice }: { choice: ReactNode }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { item, set } = useFilters();
  const { list, rows } = useAdminList(pageOf(AdminHook), "hooks");
  const open = rows.find(({ id }) => id === item);
  const columns: Column<AdminHook>[] = [
    { id: "name", title: t("hook.name"), cell: ({ name }) => name },
    { id: "state", title: t("app.state"), cell: ({ state }) => <HookState state={state} /> },
    { id: "way", title: t("hook.way"), cell: ({ direction }) => t(`hook.${direction}`) },
    { id: "room", title: t("hook.room"), cell: ({ room_name, room_id }) => room_name || room_id },
    { id: "by", title: t("hook.by"), isExtra: true, cell: ({ created_by }) => created_by },
    { id: "made", title: t("hook.made"), isExtra: true, cell: ({ created_ts }) => format.ago(created_ts) },
  ];
  return (
    <ListPage
      title={t("page.applications")}
      text={t("hook.lead")}
      filters={choice}
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ id }) => id}
      emptyTitle={t("hook.none")}
      onOpen={(id) => set({ item: id })}
      openId={item}
      drawer={open && <HookDrawer hook={open} onClose={() => set({ item: undefined })} />}
    />
  );
}

function HookState({ state }: { state: AdminHook["state"] }) {
  const { t } = useTranslation("admin");
  return <Chip tone={TONES[state]}>{t(`hookState.${state}`)}</Chip>;
}

function HookDrawer({ hook, onClose }: { hook: AdminHook; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const { name } = hook;
  const path = `hooks/${part(hook.id)}`;
  const verb = hook.state === "off" ? "turnOn" : "turnOff";
  const ask = (
    what: typeof verb | "delete",
    isDangerous: boolean,
    run: (reason: string) => Promise<unknown>,
  ) =>
    act({
      title: t(`hookAct.${what}.title`, { name }),
      text: t(`hookAct.${what}.text`),
      action: t(`hookAct.${what}.action`),
      isDangerous,
      run: async ({ reason }) => {
        await run(reason);
        return t(`hookAct.${what}.done`, { name });
      },
    });
  const turn = () =>
    ask(verb, verb === "turnOff", (reason) =>
      send(Done, "PUT", path, withReason(reason, { enabled: verb === "turnOn" })),
    );
  const remove = () =>
    ask("delete", true, async (reason) => {
      await send(Done, "DELETE", path, withReason(reason));
      onClose();
    });
  return (
    <Drawer title={name} onClose={onClose}>
      <HookState state={hook.state} />
      <div className={styles.actions}>
        <Button icon={verb === "turnOn" ? Play : Power} onPress={turn}>
          {t(`hookAct.${verb}.action`)}
        </Button>
        <Button icon={Trash2} kind="danger" onPress={remove}>
          {t("hookAct.delete.action")}
        </Button>
      </div>
      {hook.state_reason && (
        <Notice tone={hook.state === "failing" ? "danger" : "info"}>
          <Reason said={hook.state_reason} />
        </Notice>
      )}
      <Facts
        facts={[
          [t("hook.way"), t(`hook.${hook.direction}`)],
          [t("hook.room"), hook.room_name || hook.room_id],
          [t("room.id"), hook.room_id],
          [t("hook.account"), hook.user_id],
          [t("hook.by"), hook.created_by],
          [t("hook.made"), format.time(hook.created_ts)],
          [t("hook.since"), format.time(hook.state_since_ts)],
        ]}
      />
    </Drawer>
  );
}
