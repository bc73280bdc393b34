import { PhoneOff } from "lucide-react";
import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Chip, Empty } from "~/ui/marks";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { useFormat } from "./format";
import { PageHead, Waiting } from "./parts";
import { useAdmin, useAdminSend } from "./queries";
import { Calls, Done } from "./schemas";

const REFRESH_MS = 5_000;

export function CallsPage() {
  const { t } = useTranslation("admin");
  const calls = useAdmin(Calls, "calls", { everyMs: REFRESH_MS });
  return (
    <>
      <PageHead title={t("page.calls")} text={t("call.lead")} />
      <Waiting query={calls}>
        {calls.data?.sfus.map((sfu) => (
          <section key={sfu.name} className={styles.card} aria-label={sfu.name || t("call.sfu")}>
            <header className={styles.cardHead}>
              <h3>{sfu.name || t("call.sfu")}</h3>
              <Chip tone={sfu.is_up ? "echo" : "live"}>{t(sfu.is_up ? "call.up" : "call.down")}</Chip>
              <small>{sfu.problem ?? sfu.url}</small>
            </header>
            {sfu.calls.length === 0 ? (
              <Empty title={t("call.none")} />
            ) : (
              sfu.calls.map((call) => <Call key={call.room_id} call={call} />)
            )}
          </section>
        ))}
      </Waiting>
    </>
  );
}

type Running = NonNullable<
  ReturnType<typeof useAdmin<typeof Calls>>["data"]
>["sfus"][number]["calls"][number];

function Call({ call }: { call: Running }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const end = () =>
    act({
      title: t("call.end.title"),
      text: t("call.end.text", { count: call.participants.length }),
      action: t("call.end.action"),
      isDangerous: true,
      run: async ({ reason }) => {
        await send(Done, "POST", `calls/${part(call.room_id)}/end`, withReason(reason));
        return t("call.end.done");
      },
    });
  return (
    <div className={styles.call}>
      <div className={styles.cardHead}>
        <b>{call.name || call.room_id}</b>
        <small>{t("call.participants", { count: call.participants.length })}</small>
        <Button kind="danger" icon={PhoneOff} onPress={end}>
          {t("call.end.action")}
        </Button>
      </div>
      <ul className={styles.rows}>
        {call.participants.map((participant) => (
          <li key={participant.identity} className={styles.row}>
            <span className={styles.rowText}>{participant.user_id ?? participant.identity}</span>
            <small>
              {participant.tracks
                .map(({ source, muted }) =>
                  t(muted ? "call.muted" : "call.sends", {
                    source: t(`call.source.${source}`, { defaultValue: source }),
                  }),
                )
                .join(", ")}
            </small>
            <small>{format.ago(participant.joined_ts)}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
