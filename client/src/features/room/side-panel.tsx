import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";
import { PanelContent } from "./panel-content";
import styles from "./room.module.css";
import { type Panel, useClosePanel, useIsWide } from "./use-panel";

/** What lies beside a channel; where there is no room for it, over it as a drawer that Escape closes. */
export function SidePanel({ roomId, panel }: { roomId: RoomId; panel: Panel }) {
  const { t } = useTranslation("room");
  const close = useClosePanel();
  const isWide = useIsWide();
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isWide) drawer.current?.focus();
  }, [isWide]);
  return (
    <>
      {!isWide && (
        <button
          type="button"
          aria-label={t("closePanel")}
          tabIndex={-1}
          className={styles.veil}
          onClick={close}
        />
      )}
      <aside
        ref={drawer}
        aria-label={t(`panels.${panel}`)}
        data-region=""
        tabIndex={-1}
        className={styles.side}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || event.defaultPrevented) return;
          event.preventDefault();
          close();
        }}
      >
        <header className={styles.sideHeader}>
          <h2>{t(`panels.${panel}`)}</h2>
          <IconButton icon={X} size="small" label={t("closePanel")} onPress={close} />
        </header>
        <div className={styles.sideBody}>
          <PanelContent roomId={roomId} panel={panel} />
        </div>
      </aside>
    </>
  );
}
