import { useEffect, useRef } from "react";
import { decodeBlurhash } from "~/matrix/blurhash";
import styles from "./attachments.module.css";

/** Enough for a blur; the browser makes it as large as the picture. */
const [WIDTH, HEIGHT] = [32, 24];

/** The colours of a picture, for as long as it has not come. Draws nothing for what is no hash. */
export function Blur({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pixels = decodeBlurhash(hash, WIDTH, HEIGHT);
    const context = canvas.current?.getContext("2d");
    if (!pixels || !context) return;
    const image = context.createImageData(WIDTH, HEIGHT);
    image.data.set(pixels.data);
    context.putImageData(image, 0, 0);
  }, [hash]);
  return (
    <canvas ref={canvas} width={WIDTH} height={HEIGHT} aria-hidden data-blurhash className={styles.fill} />
  );
}
