import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Chip } from "~/ui/marks";
import { Menu } from "~/ui/menu";
import type { Column } from "~/ui/table";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { Drawer, More, Waiting } from "./parts";
import { useAdminList, useAdminSend } from "./queries";
import { Done, type MediaFile, MediaFile as MediaFileSchema, MediaUsage, Purged, pageOf } from "./schemas";
import { useFilters } from "./search";

const DAY_MS = 86_400_000;

export function MediaPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const { item, set } = useFilters();
  const { list, rows } = useAdminList(MediaUsage, "media/usage");
  type Usage = (typeof rows)[number];
  const columns: Column<Usage>[] = [
    { id: "user", title: t("media.user"), cell: ({ user_id }) => user_id },
    { id: "files", title: t("media.files"), isNumber: true, cell: ({ files }) => format.count(files) },
    { id: "bytes", title: t("media.size"), isNumber: true, cell: (usage) => format.bytes(usage.bytes) },
  ];

  const purge = () =>
    act({
      title: t("media.purge.title"),
      text: t("media.purge.text"),
      action: t("media.purge.action"),
      isDangerous: true,
      field: { label: t("media.purge.days"), isRequired: true, hint: t("media.purge.hint") },
      run: async ({ reason, field }) => {
        const days = Number(field);
        if (!Number.isFinite(days) || days < 0) throw new Error(t("media.purge.badDays"));
        const body = withReason(reason, { not_used_since_ts: Date.now() - Math.round(days * DAY_MS) });
        const { files, bytes } = await send(Purged, "POST", "media/purge_remote", {
          ...body,
          dry_run: false,
        });
        return t("media.purge.done", { count: files, size: format.bytes(bytes) });
      },
    });

  return (
    <ListPage
      title={t("page.media")}
      text={t("media.lead")}
      tools={<Button onPress={purge}>{t("media.purge.action")}</Button>}
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ user_id }) => user_id}
      emptyTitle={t("media.none")}
      onOpen={(userId) => set({ item: userId })}
      openId={item}
      drawer={item && <FilesDrawer key={item} userId={item} onClose={() => set({ item: undefined })} />}
    />
  );
}

function FilesDrawer({ userId, onClose }: { userId: string; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const { list, rows } = useAdminList(pageOf(MediaFileSchema), "media", { user_id: userId });
  return (
    <Drawer title={t("media.filesOf", { user: userId })} onClose={onClose}>
      <Waiting query={list}>
        <ul className={styles.rows}>
          {rows.map((file) => (
            <File key={`${file.server_name}/${file.media_id}`} file={file} />
          ))}
        </ul>
        <More list={list} />
      </Waiting>
    </Drawer>
  );
}

function File({ file }: { file: MediaFile }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const name = file.name || file.media_id;
  const path = `media/${part(file.server_name)}/${part(file.media_id)}`;
  const ask = (verb: "quarantine" | "unquarantine" | "delete") =>
    act({
      title: t(`mediaAct.${verb}.title`, { name }),
      text: t(`mediaAct.${verb}.text`),
      action: t(`mediaAct.${verb}.action`),
      isDangerous: verb !== "unquarantine",
      run: async ({ reason }) => {
        const body = withReason(reason);
        if (verb === "delete") await send(Done, "DELETE", path, body);
        else await send(Done, "POST", `${path}/${verb}`, body);
        return t(`mediaAct.${verb}.done`, { name });
      },
    });
  const verb = file.is_quarantined ? "unquarantine" : "quarantine";
  return (
    <li className={styles.row}>
      <span className={styles.rowText}>
        {name}
        <small>
          {format.bytes(file.bytes)} · {file.content_type ?? "–"} · {format.ago(file.created_ts)}
        </small>
      </span>
      {file.is_quarantined && <Chip tone="live">{t("media.quarantined")}</Chip>}
      <Menu
        label={name}
        entries={[
          { id: verb, label: t(`mediaAct.${verb}.action`), onAction: () => ask(verb) },
          {
            id: "delete",
            label: t("mediaAct.delete.action"),
            isDangerous: true,
            onAction: () => ask("delete"),
          },
        ]}
      >
        <Button kind="quiet">{t("media.actions")}</Button>
      </Menu>
    </li>
  );
}
