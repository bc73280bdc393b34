import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components/Modal";
import { loadAttachment, saveBlob, useAttachment } from "~/features/timeline";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { type Message, timelineKey } from "~/matrix/timeline";
import { IconButton } from "~/ui/button";
import { useEscape } from "~/ui/escape";
import { Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./media-viewer.module.css";
import { closeMedia, openMedia, useViewer } from "./store";

const ZOOMS = [1, 1.5, 2, 3, 4] as const;

/** The place where pictures open; once in the room's screen. */
export function MediaViewer() {
  const { t } = useTranslation("mediaViewer");
  const { open } = useViewer();
  useEscape(open !== undefined, closeMedia);
  return (
    <ModalOverlay
      isOpen={open !== undefined}
      onOpenChange={(isOpen) => !isOpen && closeMedia()}
      isDismissable
      className={styles.scrim ?? ""}
    >
      <Modal className={styles.modal ?? ""}>
        <Dialog aria-label={t("viewer")} className={styles.dialog ?? ""}>
          {open && <Viewed roomId={open.roomId} message={open.message} />}
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
  const [zoomed, setZoomed] = useState({ key: message.key, zoom: 0 });
  const zoom = zoomed.key === message.key ? zoomed.zoom : 0;
  // A button that has done all it can is disabled, and would take the focus out of the dialog with it.
  const frame = useRef<HTMLDivElement>(null);
  const setZoom = (to: number) => {
    if (to <= 0 || to >= ZOOMS.length - 1) frame.current?.focus();
    setZoomed({ key: message.key, zoom: Math.min(Math.max(to, 0), ZOOMS.length - 1) });
  };
  const source = body.kind === "image" || body.kind === "sticker" ? body.source : undefined;
  const picture = useAttachment(source);
  const siblings = picturesOf(session.timelines.snapshots.read(timelineKey(roomId)).items);
  const place = siblings.findIndex(({ key }) => key === message.key);
  const go = (by: number) => {
    const next = siblings[place + by];
    if (place < 0 || !next) return;
    if (!siblings[place + 2 * by]) frame.current?.focus();
    openMedia(roomId, next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") go(-1);
    else if (event.key === "ArrowRight") go(1);
    else if (event.key === "+") setZoom(zoom + 1);
    else if (event.key === "-") setZoom(zoom - 1);
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
    <div ref={frame} tabIndex={-1} className={styles.frame} onKeyDown={onKeyDown}>
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
        <IconButton icon={X} label={t("close")} onPress={closeMedia} />
      </header>
      <div className={styles.stage}>
        {picture.status === "loading" && <Spinner label={t("loading")} />}
        {picture.status === "failed" && <p role="alert">{t("failed")}</p>}
        {picture.status === "ready" && (
          <Picture
            key={picture.url}
            url={picture.url}
            alt={body.caption || body.name}
            zoom={ZOOMS[zoom] ?? 1}
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

/** As large as fits, and never larger than it is, times the zoom. */
function Picture({ url, alt, zoom }: { url: string; alt: string; zoom: number }) {
  const [size, setSize] = useState<{ width: number; height: number }>();
  return (
    <img
      src={url}
      alt={alt}
      className={styles.picture}
      style={size && { "--w": `${size.width}px`, "--ratio": size.width / size.height, "--zoom": zoom }}
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
        setSize({ width: naturalWidth, height: Math.max(1, naturalHeight) })
      }
    />
  );
}

function picturesOf(
  items: readonly { readonly kind: string; readonly message?: Message }[],
): readonly Message[] {
  return items.flatMap(({ message }) => (message?.body.kind === "image" ? [message] : []));
}
