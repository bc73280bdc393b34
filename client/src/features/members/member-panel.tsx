import { Globe, UserPlus } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { openDialog } from "~/hooks/dialogs";
import { usePermissions, useRoleNames, useRoles } from "~/hooks/permissions";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import { TextField } from "~/ui/field";
import { Empty, Spinner } from "~/ui/marks";
import { type MemberGroup, type MemberLine, memberBy, memberLines } from "./member-list";
import { MemberRow } from "./member-row";
import styles from "./members.module.css";
import { useWhereabouts } from "./whereabouts";

/** In shorter lists everybody is in sight. */
const SEARCHED_FROM = 10;

/** Everybody in a channel, for the panel beside it: by role, then who is offline; partners apart. */
export function MemberPanel({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("members");
  const { invite } = usePermissions(roomId);
  const [query, setQuery] = useState("");
  const { lines, count, isLoaded } = useMemberLines(roomId, useDeferredValue(query));
  return (
    <div className={styles.panel}>
      {invite && (
        <Button
          icon={UserPlus}
          className={styles.invite}
          onPress={() => openDialog({ kind: "invite", roomId })}
        >
          {t("invite")}
        </Button>
      )}
      {count >= SEARCHED_FROM && (
        <div className={styles.search}>
          <TextField
            label={t("search")}
            placeholder={t("searchAmong", { count })}
            hidesLabel
            value={query}
            onChange={setQuery}
          />
        </div>
      )}
      <MemberLines roomId={roomId} lines={lines} />
      {!isLoaded && <Spinner label={t("loading")} />}
      {isLoaded && lines.length === 0 && <Empty title={t("nobody")} />}
    </div>
  );
}

function useMemberLines(roomId: RoomId, query: string) {
  const { members, presence } = useSession();
  const everybody = useSlice(members.all, roomId);
  const { revision } = useSlice(presence.revision, "all");
  const roles = useRoles(roomId);
  const [loaded, setLoaded] = useState<RoomId>();
  useEffect(() => {
    let isStale = false;
    // Whom the device does not know then stays away from the list until the next visit.
    const done = () => {
      if (!isStale) setLoaded(roomId);
    };
    members.load(roomId).then(done, done);
    return () => {
      isStale = true;
    };
  }, [members, roomId]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `revision` stands for the presences that are read inside.
  const lines = useMemo(
    () => memberLines(everybody, roles, ({ userId }) => presence.of.peek(userId).state, query),
    [everybody, roles, presence, query, revision],
  );
  return { lines, count: everybody.length, isLoaded: loaded === roomId };
}

function MemberLines({ roomId, lines }: { roomId: RoomId; lines: readonly MemberLine[] }) {
  const list = useRef<HTMLDivElement>(null);
  const rows = useRef<VirtualizerHandle>(null);
  /** Who has the focus, and who is to have it: their rows are in the document wherever one scrolls. */
  const [kept, setKept] = useState<readonly string[]>([]);
  const whereabouts = useWhereabouts(roomId);
  const keptRows = useMemo(
    () => kept.map((key) => lines.findIndex((line) => line.key === key)).filter((index) => index >= 0),
    [kept, lines],
  );

  function onKeyDown(event: KeyboardEvent) {
    const current = document.activeElement instanceof HTMLElement && document.activeElement.dataset.member;
    if (!current || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = memberBy(event.key, lines, current);
    if (!next) return;
    event.preventDefault();
    flushSync(() => setKept([current, next.key]));
    const index = lines.indexOf(next);
    // Above the first person stands the heading of their group.
    rows.current?.scrollToIndex(index === 1 ? 0 : index, { align: "nearest" });
    if (list.current) focusOnceShown(list.current, next.key);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys move the focus between the buttons inside.
    <div
      ref={list}
      className={styles.lines}
      onKeyDown={onKeyDown}
      onFocus={({ target: { dataset } }) => dataset.member && setKept([dataset.member])}
    >
      <Virtualizer ref={rows} data={lines} keepMounted={keptRows}>
        {(line) =>
          line.type === "heading" ? (
            <Heading key={line.key} roomId={roomId} group={line.group} count={line.count} />
          ) : (
            <MemberRow
              key={line.key}
              roomId={roomId}
              member={line.member}
              voiceChannel={whereabouts.get(line.member.userId)}
            />
          )
        }
      </Virtualizer>
    </div>
  );
}

/** Rows are hidden until their heights are known, and what is hidden takes no focus. */
const HIDDEN_FRAMES_MAX = 10;

function focusOnceShown(list: HTMLElement, key: string, frames = HIDDEN_FRAMES_MAX): void {
  const before = document.activeElement;
  const row = [...list.querySelectorAll<HTMLElement>("[data-member]")].find(
    ({ dataset }) => dataset.member === key,
  );
  row?.focus({ preventScroll: true });
  if (document.activeElement === row || frames === 0) return;
  requestAnimationFrame(() => {
    // Whoever went elsewhere meanwhile stays there.
    if (document.activeElement === before) focusOnceShown(list, key, frames - 1);
  });
}

function Heading({ roomId, group, count }: { roomId: RoomId; group: MemberGroup; count: number }) {
  const { t } = useTranslation("members");
  const nameOf = useRoleNames(roomId);
  const isPartner = group.kind === "partner";
  const name =
    group.kind === "role"
      ? nameOf(group.role.level)
      : group.kind === "partner"
        ? t("partner", { server: group.server })
        : t(group.kind);
  return (
    <h3 className={cx(styles.heading, isPartner && styles.partner)}>
      {isPartner && <Globe size={13} strokeWidth={1.9} aria-hidden />}
      <span>
        {name} · <span className="num">{count}</span>
      </span>
    </h3>
  );
}
