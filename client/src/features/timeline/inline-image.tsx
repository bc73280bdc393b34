import { useMediaUrl } from "~/hooks/media";
import type { HtmlElement } from "~/matrix/html";
import styles from "./rich-text.module.css";

/** A picture between words, an emoji of a company's own for example: as high as a line, unless it says how high. */
export function InlineImage({ image }: { image: Extract<HtmlElement, { kind: "image" }> }) {
  const height = image.height ?? 22;
  const url = useMediaUrl(image.mxc, Math.max(height, image.width ?? 0));
  if (!url) return image.alt;
  return (
    <img
      src={url}
      alt={image.alt}
      title={image.title || image.alt}
      height={Math.min(height, 300)}
      className={styles.inlineImage}
    />
  );
}
