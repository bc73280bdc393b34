import { Download, File, FileText, ImageDown, Pause, Play } from "lucide-react";
import { useRef, useState } from "react";
import { openMedia } from "~/features/media-viewer";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Attachment, Message, MessageBody } from "~/matrix/timeline";
import { IconButton } from "~/ui/button";
import { cx } from "~/ui/cx";
import { Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./attachments.module.css";
import { Blur } from "./blur";
import { bytesAsText, durationAsText, fitted } from "./sizes";
import { loadAttachment, useAttachment, useThumbnail } from "./use-attachment";

const BOUNDS = { widthMax: 440, heightMax: 320 };
const STICKER_BOUNDS = { widthMax: 180, heightMax: 180 };

type Of<Kind extends MessageBody["kind"]> = Extract<MessageBody, { kind: Kind }>;

/** A picture in a place of its own size, so that nothing moves when it comes. Opens the viewer. */
export function ImageBody({
  roomId,
  message,
  body,
}: {
  roomId: RoomId;
  message: Message;
  body: Of<"image" | "sticker">;
}) {
  const { t } = useTranslation("timeline");
  const isSticker = body.kind === "sticker";
  const { width, height } = fitted(body.width, body.height, isSticker ? STICKER_BOUNDS : BOUNDS);
  const [isShown, setShown] = useState(!body.isSpoiler);
  // A thumbnail of an animation stands still.
  const isAnimated = body.source.mimetype === "image/gif" || isSticker;
  const small = isAnimated || !body.thumbnail ? body.source : body.thumbnail;
  // Whoever counts every byte opens the pictures they want.
  const isSparing = useCallSettings((settings) => settings.lowBandwidth);
  const url = useThumbnail(isShown && !isSparing ? small : undefined, Math.max(width, height));
  const label = body.caption || body.name;
  if (!isShown) {
    return (
      <button
        type="button"
        className={cx(styles.picture, styles.spoiler)}
        style={{ "--w": `${width}px`, "--ratio": width / height }}
        onClick={() => setShown(true)}
      >
        {t("spoiler")}
      </button>
    );
  }
  return (
    <button
      type="button"
      aria-label={t("openImage", { name: label })}
      className={cx(styles.picture, isSticker && styles.sticker)}
      style={{ "--w": `${width}px`, "--ratio": width / height }}
      onClick={() => openMedia(roomId, message)}
    >
      {!url && body.blurhash && <Blur hash={body.blurhash} />}
      {url && <img src={url} alt={label} className={styles.fill} draggable={false} />}
      {isSparing && (
        <span className={styles.play}>
          <ImageDown size={22} strokeWidth={1.9} aria-hidden />
        </span>
      )}
    </button>
  );
}

export function VideoBody({ body }: { body: Of<"video"> }) {
  const { t } = useTranslation("timeline");
  const { width, height } = fitted(body.width, body.height, BOUNDS);
  const [isPlaying, setPlaying] = useState(false);
  const isSparing = useCallSettings((settings) => settings.lowBandwidth);
  const poster = useThumbnail(isSparing ? undefined : body.thumbnail, Math.max(width, height));
  const video = useAttachment(body.source, isPlaying);
  if (video.status === "failed") return <FileBody body={body} />;
  return (
    <div className={styles.picture} style={{ "--w": `${Math.max(width, 220)}px`, "--ratio": width / height }}>
      {isPlaying && video.status === "ready" ? (
        // biome-ignore lint/a11y/useMediaCaption: what people send has no captions.
        <video src={video.url} controls autoPlay className={styles.fill} aria-label={body.name} />
      ) : (
        <button
          type="button"
          className={styles.poster}
          onClick={() => setPlaying(true)}
          aria-label={t("playVideo", { name: body.name })}
        >
          {!poster && body.blurhash && <Blur hash={body.blurhash} />}
          {poster && <img src={poster} alt="" className={styles.fill} />}
          <span className={styles.play}>
            {isPlaying ? <Spinner label={t("loading")} /> : <Play size={22} aria-hidden />}
          </span>
          {body.durationMs && <span className={styles.length}>{durationAsText(body.durationMs)}</span>}
        </button>
      )}
    </div>
  );
}

/** Sound with its waveform, which also is where one seeks. */
export function AudioBody({ body }: { body: Of<"audio"> }) {
  const { t } = useTranslation("timeline");
  const [isWanted, setWanted] = useState(false);
  const [isPlaying, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const sound = useRef<HTMLAudioElement>(null);
  const audio = useAttachment(body.source, isWanted);
  const lengthMs = body.durationMs ?? 0;
  const toggle = () => {
    setWanted(true);
    if (isPlaying) sound.current?.pause();
    else void sound.current?.play().catch(() => setPlaying(false));
  };
  return (
    <div className={styles.audio}>
      <IconButton
        icon={isPlaying ? Pause : Play}
        label={t(isPlaying ? "pause" : body.isVoice ? "playVoice" : "playAudio", { name: body.name })}
        onPress={toggle}
        className={styles.playSound}
      />
      <div className={styles.soundText}>
        {!body.isVoice && <b className={styles.name}>{body.name}</b>}
        <Waveform samples={body.waveform} done={lengthMs > 0 ? (at * 1000) / lengthMs : 0} />
      </div>
      <span className={cx(styles.meta, "num")}>
        {lengthMs > 0 && durationAsText(isPlaying ? at * 1000 : lengthMs)}
      </span>
      {audio.status === "ready" && (
        // biome-ignore lint/a11y/useMediaCaption: what people record has no captions.
        <audio
          ref={sound}
          src={audio.url}
          autoPlay
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onEnded={() => setPlaying(false)}
          onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        />
      )}
    </div>
  );
}

function Waveform({ samples, done }: { samples: readonly number[]; done: number }) {
  const shown = samples.length > 0 ? samples : FLAT;
  return (
    <span className={styles.wave} aria-hidden>
      {shown.map((sample, index) => (
        <i
          // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other identity.
          key={index}
          className={cx(index / shown.length < done && styles.heard)}
          style={{ "--h": `${Math.max(10, Math.round(sample * 100))}%` }}
        />
      ))}
    </span>
  );
}
const FLAT: readonly number[] = Array.from({ length: 40 }, () => 0.2);

export function FileBody({ body }: { body: Attachment }) {
  const { t, i18n } = useTranslation("timeline");
  const session = useSession();
  const [isPending, setPending] = useState(false);
  const Icon = /pdf|text|document/.test(body.source.mimetype) ? FileText : File;
  const save = async () => {
    setPending(true);
    try {
      saveBlob(await loadAttachment(session, body.source), body.name);
    } catch {
      toast({ text: t("downloadFailed", { name: body.name }), tone: "danger" });
    } finally {
      setPending(false);
    }
  };
  return (
    <div className={styles.file}>
      <span className={styles.fileIcon}>
        <Icon size={18} strokeWidth={1.9} aria-hidden />
      </span>
      <span className={styles.fileText}>
        <bdi className={styles.name}>{body.name}</bdi>
        <small className={cx(styles.meta, "num")}>
          {body.bytes === undefined ? t("sizeUnknown") : bytesAsText(body.bytes, i18n.language)}
        </small>
      </span>
      <IconButton
        icon={Download}
        label={t("download", { name: body.name })}
        isDisabled={isPending}
        onPress={() => void save()}
        className={styles.save}
      />
    </div>
  );
}

/** Gives bytes to the browser's own way of saving files. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
