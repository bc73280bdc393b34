import { Expand, LayoutGrid, Minimize, SquareUser } from "lucide-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import type { CurrentCall, MemberKey } from "~/calls/types";
import { CallControls } from "~/features/voice";
import { useCallMembers } from "~/hooks/calls";
import { useTranslation } from "~/i18n/use-translation";
import { IconButton, IconToggle } from "~/ui/button";
import { cx } from "~/ui/cx";
import { columnsFor, focusOf, type Layout } from "./layout";
import { Share } from "./share-tile";
import styles from "./stage.module.css";
import { Tile } from "./tile";

/** Everybody in the call: screens first, then people, as a grid or around who speaks. */
export function StageView({ call }: { call: CurrentCall }) {
  const { t } = useTranslation("stage");
  const members = useCallMembers(call.roomId);
  const [layout, setLayout] = useState<Layout>("grid");
  const stage = useRef<HTMLElement>(null);
  const isFull = useFullscreen();
  useNothingBehind(stage, isFull);
  const lastFocus = useRef<MemberKey>(undefined);
  const focus = focusOf(members, call.pinned, lastFocus.current);
  useEffect(() => {
    lastFocus.current = focus;
  }, [focus]);
  const shares = members.filter(({ isSharing }) => isSharing);
  const isAround = layout === "speaker" || shares.length > 0 || call.pinned !== undefined;
  const large = isAround && shares.length === 0 ? members.find(({ key }) => key === focus) : undefined;
  const others = members.filter((member) => member !== large);
  return (
    <section ref={stage} aria-label={t("stage")} className={cx(styles.stage, isFull && styles.full)}>
      <div className={styles.shares}>
        {shares.map((member) => (
          <Share
            key={member.key}
            roomId={call.roomId}
            member={member}
            isWatched={call.watched.includes(member.key)}
          />
        ))}
        {large && (
          <ul className={styles.large}>
            <Tile roomId={call.roomId} member={large} isPinned={call.pinned === large.key} />
          </ul>
        )}
      </div>
      <ul
        aria-label={t("people")}
        className={cx(styles.people, isAround && styles.strip)}
        style={{ "--columns": columnsFor(others.length) }}
      >
        {others.map((member) => (
          <Tile
            key={member.key}
            roomId={call.roomId}
            member={member}
            isPinned={call.pinned === member.key}
            place={isAround ? "strip" : "stage"}
          />
        ))}
      </ul>
      <div className={styles.bar}>
        <div className={styles.controls}>
          <CallControls call={call} isWhole />
        </div>
        <IconToggle
          icon={layout === "grid" ? SquareUser : LayoutGrid}
          label={t("speakerLayout")}
          isSelected={layout === "speaker"}
          onChange={(isSpeaker) => setLayout(isSpeaker ? "speaker" : "grid")}
        />
        <IconButton
          icon={isFull ? Minimize : Expand}
          label={isFull ? t("leaveFull") : t("full")}
          onPress={() => void toggleFull()}
        />
      </div>
    </section>
  );
}

/** The whole document, of which the stage covers the window: menus and windows of the stage stand beside it, not within. */
async function toggleFull(): Promise<void> {
  // A browser that refuses leaves everything as it is.
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
  else await document.documentElement.requestFullscreen?.().catch(() => {});
}

function useFullscreen(): boolean {
  const [isFull, setIsFull] = useState(false);
  useEffect(() => {
    const look = () => setIsFull(document.fullscreenElement === document.documentElement);
    document.addEventListener("fullscreenchange", look);
    return () => {
      document.removeEventListener("fullscreenchange", look);
      // Whoever leaves the call or its page wants their window back.
      if (document.fullscreenElement === document.documentElement)
        void document.exitFullscreen().catch(() => {});
    };
  }, []);
  return isFull;
}

/** What lies behind a stage that covers the window can be neither reached by Tab nor read. */
function useNothingBehind(stage: RefObject<HTMLElement | null>, isFull: boolean): void {
  useEffect(() => {
    if (!isFull) return;
    const hidden: Element[] = [];
    for (let part: Element | null = stage.current; part && part.id !== "root"; part = part.parentElement) {
      for (const other of part.parentElement?.children ?? []) {
        const isShown = other === part || other.matches("[inert], [data-react-aria-top-layer]");
        if (!isShown) hidden.push(other);
      }
    }
    for (const part of hidden) part.setAttribute("inert", "");
    return () => {
      for (const part of hidden) part.removeAttribute("inert");
    };
  }, [stage, isFull]);
}
