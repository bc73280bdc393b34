import encodeQR from "qr";
import decodeQR from "qr/decode.js";
import { useEffect, useRef, useState } from "react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import styles from "./qr.module.css";

/** Each look at the camera's picture takes some milliseconds; this many between them leave the page at ease. */
const LOOK_EVERY_MS = 200;
/** Larger pictures show no more of a code that fills them. */
const WIDTH_MAX = 800;
/** What every code of a verification begins with (CS API § QR code format). */
const PREFIX = new TextEncoder().encode("MATRIX");

/** A code for the camera of the other side. Dark on light in both themes: many readers know no other. */
export function QrCode({ bytes }: { bytes: readonly number[] }) {
  const { t } = useTranslation("encryption");
  // The library takes texts; ours is not one.
  const rows = encodeQR("", "raw", { encoding: "byte", textEncoder: () => new Uint8Array(bytes), border: 4 });
  const squares = rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return (
    <svg
      role="img"
      aria-label={t("code.picture")}
      viewBox={`0 0 ${rows.length} ${rows.length}`}
      shapeRendering="crispEdges"
      className={styles.code}
    >
      <path d={squares} />
    </svg>
  );
}

/** Reads the code that the other side shows; the camera is opened when asked, not before. */
export function QrScanner({ text }: { text: string }) {
  const { t } = useTranslation("encryption");
  const { verifications } = useSession();
  const [state, setState] = useState<"closed" | "open" | "failed">("closed");
  const [isWrong, setWrong] = useState(false);
  return (
    <>
      <p>{text}</p>
      {state === "open" ? (
        <Camera
          onRead={(bytes) => verifications.scan(bytes).catch(() => setWrong(true))}
          onFailed={() => setState("failed")}
        />
      ) : (
        <Button kind="primary" onPress={() => setState("open")}>
          {t("code.start")}
        </Button>
      )}
      {state === "failed" && <Notice tone="danger">{t("code.noCamera")}</Notice>}
      {isWrong && <Notice tone="ember">{t("code.wrong")}</Notice>}
    </>
  );
}

interface CameraProps {
  /** Each code of a verification that it sees; the next is looked for once this one is dealt with. */
  onRead: (bytes: Uint8Array) => Promise<void>;
  onFailed: () => void;
}

function Camera({ onRead, onFailed }: CameraProps) {
  const { t } = useTranslation("encryption");
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef({ onRead, onFailed });
  useEffect(() => {
    latest.current = { onRead, onFailed };
  });
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const canvas = document.createElement("canvas");
    const look = async () => {
      const bytes = video.current ? readCode(video.current, canvas) : undefined;
      if (bytes) await latest.current.onRead(bytes);
      if (!isGone) timer = setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    const opening = navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    opening.then(
      (stream) => {
        if (isGone || !video.current) return;
        video.current.srcObject = stream;
        void look();
      },
      () => {
        if (!isGone) latest.current.onFailed();
      },
    );
    return () => {
      isGone = true;
      clearTimeout(timer);
      void opening.then(
        (stream) => {
          for (const track of stream.getTracks()) track.stop();
        },
        () => {},
      );
    };
  }, []);
  return (
    <video ref={video} aria-label={t("code.camera")} className={styles.camera} autoPlay playsInline muted />
  );
}

/** The bytes of a code of a verification in the picture, if there is one. */
function readCode(video: HTMLVideoElement, canvas: HTMLCanvasElement): Uint8Array | undefined {
  const { videoWidth, videoHeight } = video;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (videoWidth === 0 || videoHeight === 0 || !context) return undefined;
  const scale = Math.min(1, WIDTH_MAX / videoWidth);
  canvas.width = Math.round(videoWidth * scale);
  canvas.height = Math.round(videoHeight * scale);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  let found: Uint8Array | undefined;
  try {
    decodeQR(context.getImageData(0, 0, canvas.width, canvas.height), {
      textDecoder: (bytes) => {
        found = bytes.slice();
        return "";
      },
    });
  } catch {
    // No code in this picture.
    return undefined;
  }
  return found && PREFIX.every((byte, index) => found?.[index] === byte) ? found : undefined;
}
