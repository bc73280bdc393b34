import { Ban, KeyRound, Lock, LogOut, PauseCircle, ShieldCheck, Unlock, X } from "lucide-react";
import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button, IconButton } from "~/ui/button";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { useFormat } from "./format";
import { Drawer, Facts, Waiting } from "./parts";
import { useAdmin, useAdminList, useAdminSend } from "./queries";
import { Done, pageOf, UserDetails, UserRoom } from "./schemas";
import { UserMarks } from "./users";

/** One account: what is known of it, and what administrators can do with it. */
export function UserDrawer({ userId, onClose }: { userId: string; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const user = useAdmin(UserDetails, `users/${part(userId)}`);
  const rooms = useAdminList(pageOf(UserRoom), `users/${part(userId)}/rooms`);
  const details = user.data;
  return (
    <Drawer title={details?.displayname || userId} onClose={onClose}>
      <Waiting query={user}>
        {details && (
          <>
            <UserMarks user={details} />
            <UserActions userId={userId} details={details} />
            <Facts
              facts={[
                [t("user.id"), userId],
                [t("user.source"), t(`source.${details.source ?? "local"}`)],
                [t("user.created_"), format.time(details.created_ts)],
                [t("user.seen"), format.time(details.last_seen_ts)],
                [t("user.emails"), details.emails.join(", ") || "–"],
                [t("user.media"), format.bytes(details.media_bytes)],
              ]}
            />
            <h4 className={styles.section}>{t("user.sessions")}</h4>
            <ul className={styles.rows}>
              {details.sessions.map((session) => (
                <Session key={session.device_id} userId={userId} session={session} />
              ))}
              {details.sessions.length === 0 && <li>{t("user.noSessions")}</li>}
            </ul>
          </>
        )}
      </Waiting>
      <h4 className={styles.section}>{t("user.rooms")}</h4>
      <ul className={styles.rows}>
        {rooms.rows.map((room) => (
          <li key={room.room_id} className={styles.row}>
            <span className={styles.rowText}>{room.name || room.room_id}</span>
            <small>{t(`membership.${room.membership}`, { defaultValue: room.membership })}</small>
          </li>
        ))}
      </ul>
    </Drawer>
  );
}

type Details = NonNullable<ReturnType<typeof useAdmin<typeof UserDetails>>["data"]>;

function UserActions({ userId, details }: { userId: string; details: Details }) {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const ask = (
    what: string,
    { isDangerous = false, body = {} }: { isDangerous?: boolean; body?: Record<string, unknown> } = {},
    verb = what,
  ) =>
    act({
      title: t(`userAct.${verb}.title`, { user: userId }),
      text: t(`userAct.${verb}.text`),
      action: t(`userAct.${verb}.action`),
      isDangerous,
      run: async ({ reason }) => {
        await send(Done, "POST", `users/${part(userId)}/${what}`, withReason(reason, body));
        return t(`userAct.${verb}.done`, { user: userId });
      },
    });
  const resetPassword = () =>
    act({
      title: t("userAct.password.title", { user: userId }),
      text: t("userAct.password.text"),
      action: t("userAct.password.action"),
      field: { label: t("user.password"), type: "password", isRequired: true },
      run: async ({ reason, field }) => {
        const body = withReason(reason, { password: field, logout_devices: true });
        await send(Done, "POST", `users/${part(userId)}/password`, body);
        return t("userAct.password.done", { user: userId });
      },
    });
  if (details.is_deactivated) return null;
  const { is_locked, is_suspended, is_administrator } = details;
  const becomes = is_administrator ? "demote" : "promote";
  return (
    <div className={styles.actions}>
      <Button
        icon={is_locked ? Unlock : Lock}
        onPress={() => ask(is_locked ? "unlock" : "lock", { isDangerous: !is_locked })}
      >
        {t(is_locked ? "userAct.unlock.action" : "userAct.lock.action")}
      </Button>
      <Button icon={PauseCircle} onPress={() => ask(is_suspended ? "unsuspend" : "suspend")}>
        {t(is_suspended ? "userAct.unsuspend.action" : "userAct.suspend.action")}
      </Button>
      <Button icon={LogOut} onPress={() => ask("logout", { isDangerous: true })}>
        {t("userAct.logout.action")}
      </Button>
      {details.source !== "directory" && (
        <Button icon={KeyRound} onPress={resetPassword}>
          {t("userAct.password.action")}
        </Button>
      )}
      <Button
        icon={ShieldCheck}
        onPress={() => ask("administrator", { body: { is_administrator: !is_administrator } }, becomes)}
      >
        {t(`userAct.${becomes}.action`)}
      </Button>
      <Button
        icon={Ban}
        kind="danger"
        onPress={() => ask("deactivate", { isDangerous: true, body: { erase: false } })}
      >
        {t("userAct.deactivate.action")}
      </Button>
    </div>
  );
}

function Session({ userId, session }: { userId: string; session: Details["sessions"][number] }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const name = session.display_name || session.device_id;
  const end = () =>
    act({
      title: t("userAct.endSession.title", { session: name }),
      text: t("userAct.endSession.text"),
      action: t("userAct.endSession.action"),
      isDangerous: true,
      run: async ({ reason }) => {
        await send(
          Done,
          "DELETE",
          `users/${part(userId)}/sessions/${part(session.device_id)}`,
          withReason(reason),
        );
        return t("userAct.endSession.done", { session: name });
      },
    });
  return (
    <li className={styles.row}>
      <span className={styles.rowText}>
        {name}
        <small>
          {format.ago(session.last_seen_ts)} · {session.last_seen_ip ?? "–"}
        </small>
      </span>
      <IconButton
        icon={X}
        size="small"
        label={t("userAct.endSession.title", { session: name })}
        onPress={end}
      />
    </li>
  );
}
