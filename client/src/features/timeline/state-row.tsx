import { ChevronDown, ChevronRight, Headphones, Info, LogIn, LogOut } from "lucide-react";
import { memo, useState } from "react";
import { shortName } from "~/hooks/name-list";
import { useTranslation } from "~/i18n/use-translation";
import type { StateChange, StateItem } from "~/matrix/timeline";
import styles from "./state-row.module.css";
import { useMessageTimes } from "./times";

/** Up to so many changes stand open; more become one line that opens. */
const OPEN_MAX = 2;

/** What happened to the room, quietly. */
export const StateRow = memo(function StateRow({ item }: { item: StateItem }) {
  const { t } = useTranslation("timeline");
  const [isOpen, setOpen] = useState(false);
  const { changes } = item;
  if (changes.length <= OPEN_MAX || isOpen) {
    return (
      <div className={styles.group}>
        {changes.length > OPEN_MAX && (
          <button type="button" className={styles.toggle} aria-expanded onClick={() => setOpen(false)}>
            <ChevronDown size={13} aria-hidden /> {t("stateLess")}
          </button>
        )}
        {changes.map((change) => (
          <StateLine key={change.eventId} change={change} />
        ))}
      </div>
    );
  }
  return (
    <div className={styles.group}>
      <button type="button" className={styles.toggle} aria-expanded={false} onClick={() => setOpen(true)}>
        <ChevronRight size={13} aria-hidden /> {t("stateMore", { count: changes.length })}
      </button>
    </div>
  );
});

function StateLine({ change }: { change: StateChange }) {
  const { t } = useTranslation("timeline");
  const times = useMessageTimes();
  const Icon = iconOf(change);
  return (
    <p className={styles.line}>
      <Icon size={13} strokeWidth={1.9} aria-hidden />
      <bdi className={styles.words}>{t(`state.${change.what}`, valuesOf(change))}</bdi>
      <time dateTime={new Date(change.ts).toISOString()} className="num">
        {times.clock(change.ts)}
      </time>
    </p>
  );
}

function valuesOf(change: StateChange) {
  const by = shortName(change.byName);
  const who = "whoName" in change ? shortName(change.whoName) : "";
  const to = "to" in change ? shortName(change.to) : "";
  const from = "from" in change ? shortName(change.from) : "";
  return { by, who, to, from };
}

function iconOf({ what }: StateChange) {
  if (what === "joined" || what === "invited" || what === "unbanned") return LogIn;
  if (what === "left" || what === "kicked" || what === "banned" || what === "rejected") return LogOut;
  return what === "call" ? Headphones : Info;
}
