import { BellOff, Circle, CircleDashed, Moon } from "lucide-react";
import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useSession, useSlice } from "~/hooks/session";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import type { OwnStatus, PresenceMode } from "~/matrix/presence-status";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Segments } from "~/ui/segments";
import { Select } from "~/ui/select";
import styles from "./settings.module.css";
import { endOf, STATUS_ENDS, type StatusEnd } from "./status-end";

const MODES: readonly { id: PresenceMode; icon: typeof Circle }[] = [
  { id: "online", icon: Circle },
  { id: "away", icon: Moon },
  { id: "busy", icon: BellOff },
  { id: "invisible", icon: CircleDashed },
];

/** What others see of oneself: there or not, some words, and for how long. */
export function StatusForm() {
  const { t } = useTranslation("settings");
  const { presence } = useSession();
  const own = useSlice(presence.own, "own");
  const times = useTimes();
  const { error: failure, isPending, run: attempt } = useAct();
  const [text, setText] = useState(own.text);
  const [end, setEnd] = useState<StatusEnd>("never");
  const choose = (change: Partial<OwnStatus>) => void attempt(() => presence.choose({ ...own, ...change }));
  return (
    <>
      <Segments
        label={t("status.mode")}
        hint={t(`status.hints.${own.mode}`)}
        value={own.mode}
        options={MODES.map(({ id, icon }) => ({ id, icon, label: t(`status.modes.${id}`) }))}
        onChange={(mode) => choose({ mode })}
      />
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          choose({ text: text.trim(), untilTs: endOf(end, new Date()) });
        }}
      >
        <TextField
          label={t("status.text")}
          placeholder={t("status.example")}
          maxLength={STATUS_CHARACTERS_MAX}
          value={text}
          onChange={setText}
        />
        <Select
          label={t("status.ends")}
          value={end}
          options={STATUS_ENDS.map((id) => ({ id, label: t(`status.end.${id}`) }))}
          onChange={setEnd}
        />
        <div className={styles.row}>
          <Button type="submit" kind="primary" isPending={isPending}>
            {t("status.set")}
          </Button>
          {(own.text || own.untilTs !== undefined) && (
            <Button
              onPress={() => {
                setText("");
                choose({ mode: "online", text: "", untilTs: undefined });
              }}
            >
              {t("status.clear")}
            </Button>
          )}
          {own.untilTs !== undefined && (
            <span className={styles.muted}>{t("status.until", { time: times.moment(own.untilTs) })}</span>
          )}
        </div>
      </form>
      {failure && <Notice tone="danger">{failure}</Notice>}
    </>
  );
}

/** Longer ones are cut in every list anyway. */
const STATUS_CHARACTERS_MAX = 100;
