import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components/Modal";
import { useTranslation } from "react-i18next";
import { loadAttachment, saveBlob, useAttachment } from "~/features/timeline";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import { type Message, timelineKey } from "~/matrix/timeline";
import { IconButton } from "~/ui/button";
import { Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./media-viewer.module.css";
import { closeMedia, openMedia, useViewer } from "./store";

const ZOOMS = [1, 1.5, 2, 3, 4] as const;

/** The place where pictures open; once in the room's screen. */
export function MediaViewer() {
  const { t } = useTranslation("mediaViewer");
  const { open } = useViewer();
  return (
    <ModalOverlay
      isOpen={open !== undefined}
      onOpenChange={(isOpen) => !isOpen && closeMedia()}
      isDismissable
      className={styles.scrim ?? ""}
    >
      <Modal className={styles.modal ?? ""}>
        <Dialog aria-label={t("viewer")} className={styles.dialog ?? ""}>
          {open && <Viewed key={open.message.key} roomId={open.roomId} message={open.message} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Viewed({ roomId, message }: { roomId: RoomId; message: Message }) {
  const { t } = useTranslation("mediaViewer");
  const session = useSession();
  const { body } = message;
  const { name: sender } = useMember(roomId, message.sender);
  const [zoom, setZoom] = useState(0);
  const source = body.kind === "image" || body.kind === "sticker" ? body.source : undefined;
  const picture = useAttachment(source);
  const siblings = picturesOf(session.timelines.snapshots.read(timelineKey(roomId)).items);
  const place = siblings.findIndex(({ key }) => key === message.key);
  const go = (by: number) => {
    const next = siblings[place + by];
    if (place >= 0 && next) openMedia(roomId, next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") go(-1);
    else if (event.key === "ArrowRight") go(1);
    else if (event.key === "+") setZoom(Math.min(zoom + 1, ZOOMS.length - 1));
    else if (event.key === "-") setZoom(Math.max(zoom - 1, 0));
    else return;
    event.preventDefault();
  };
  if (!source || !("name" in body)) return null;
  const save = () =>
    loadAttachment(session, source).then(
      (blob) => saveBlob(blob, body.name),
      () => toast({ text: t("downloadFailed"), tone: "danger" }),
    );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the dialog as a whole; each has a button too.
    <div className={styles.frame} onKeyDown={onKeyDown}>
      <header className={styles.bar}>
        <span className={styles.words}>
          <b>{body.name}</b>
          <small>{sender}</small>
        </span>
        <IconButton
          icon={ZoomOut}
          label={t("zoomOut")}
          isDisabled={zoom === 0}
          onPress={() => setZoom(zoom - 1)}
        />
        <IconButton
          icon={ZoomIn}
          label={t("zoomIn")}
          isDisabled={zoom === ZOOMS.length - 1}
          onPress={() => setZoom(zoom + 1)}
        />
        <IconButton icon={Download} label={t("download")} onPress={() => void save()} />
        <IconButton icon={X} label={t("close")} autoFocus onPress={closeMedia} />
      </header>
      <div className={styles.stage}>
        {picture.status === "loading" && <Spinner label={t("loading")} />}
        {picture.status === "failed" && <p role="alert">{t("failed")}</p>}
        {picture.status === "ready" && (
          <img
            src={picture.url}
            alt={body.caption || body.name}
            className={styles.picture}
            style={{ "--zoom": ZOOMS[zoom] }}
          />
        )}
      </div>
      {siblings.length > 1 && place >= 0 && (
        <footer className={styles.turn}>
          <IconButton
            icon={ChevronLeft}
            label={t("previous")}
            isDisabled={place === 0}
            onPress={() => go(-1)}
          />
          <span className="num">{t("place", { place: place + 1, count: siblings.length })}</span>
          <IconButton
            icon={ChevronRight}
            label={t("next")}
            isDisabled={place === siblings.length - 1}
            onPress={() => go(1)}
          />
        </footer>
      )}
    </div>
  );
}

function picturesOf(
  items: readonly { readonly kind: string; readonly message?: Message }[],
): readonly Message[] {
  return items.flatMap(({ message }) => (message?.body.kind === "image" ? [message] : []));
}
