/** What a picture or film says of itself, and smaller ones made of it. Everything happens in this browser. */

/** Types that browsers show and that run nothing. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);
/** Above this, *smaller* is offered. */
const LARGE_BYTES = 1024 * 1024;
const LARGE_SIDE = 2048;
/** What *smaller* makes of a picture. */
const SMALLER_SIDE = 1600;
const THUMBNAIL_SIDE = 800;
const QUALITY = 0.82;
const METADATA_WAIT_MS = 10_000;

export type FileKind = "image" | "video" | "audio" | "file";

export function kindOf(type: string): FileKind {
  if (PICTURES.has(type)) return "image";
  if (type.startsWith("video/")) return "video";
  return type.startsWith("audio/") ? "audio" : "file";
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size that fits into a square of this side, in the same proportions; never larger than it was. */
export function fitted({ width, height }: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whether *smaller* would make something of it: moving pictures would stop moving. */
export const canShrink = (type: string, bytes: number, size: Size | undefined) =>
  kindOf(type) === "image" &&
  type !== "image/gif" &&
  size !== undefined &&
  (bytes > LARGE_BYTES || Math.max(size.width, size.height) > LARGE_SIDE);

export interface Facts {
  readonly size?: Size | undefined;
  readonly durationMs?: number | undefined;
  /** A small picture of it, where one could be made. */
  readonly thumbnail?: { readonly blob: Blob; readonly size: Size } | undefined;
}

/** What can be known of a file; nothing of one that the browser cannot read. */
export async function factsOf(file: Blob): Promise<Facts> {
  try {
    switch (kindOf(file.type)) {
      case "image":
        return await factsOfPicture(file);
      case "video":
        return await factsOfFilm(file);
      case "audio":
        return { durationMs: await durationOf(file) };
      default:
        return {};
    }
  } catch {
    return {};
  }
}

/** The picture again, at most as large as a screen. */
export async function shrunk(file: Blob): Promise<{ blob: Blob; size: Size }> {
  const picture = await createImageBitmap(file);
  const small = await drawn(
    picture,
    picture,
    SMALLER_SIDE,
    file.type === "image/png" ? "image/webp" : "image/jpeg",
  );
  picture.close();
  return small;
}

async function factsOfPicture(file: Blob): Promise<Facts> {
  const picture = await createImageBitmap(file);
  const size = { width: picture.width, height: picture.height };
  const isLarge = Math.max(size.width, size.height) > THUMBNAIL_SIDE;
  const thumbnail = isLarge ? await drawn(picture, size, THUMBNAIL_SIDE, "image/webp") : undefined;
  picture.close();
  return { size, thumbnail };
}

async function factsOfFilm(file: Blob): Promise<Facts> {
  const url = URL.createObjectURL(file);
  const film = document.createElement("video");
  try {
    film.muted = true;
    film.preload = "auto";
    film.src = url;
    await event(film, "loadeddata");
    const size = { width: film.videoWidth, height: film.videoHeight };
    const thumbnail = size.width > 0 ? await drawn(film, size, THUMBNAIL_SIDE, "image/webp") : undefined;
    return { size, durationMs: millisOf(film.duration), thumbnail };
  } finally {
    film.removeAttribute("src");
    film.load();
    URL.revokeObjectURL(url);
  }
}

async function durationOf(file: Blob): Promise<number | undefined> {
  const url = URL.createObjectURL(file);
  const sound = document.createElement("audio");
  try {
    sound.preload = "metadata";
    sound.src = url;
    await event(sound, "loadedmetadata");
    return millisOf(sound.duration);
  } finally {
    sound.removeAttribute("src");
    URL.revokeObjectURL(url);
  }
}

const millisOf = (seconds: number) => (Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined);

async function drawn(
  source: CanvasImageSource,
  size: Size,
  side: number,
  type: string,
): Promise<{ blob: Blob; size: Size }> {
  const { width, height } = fitted(size, side);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.drawImage(source, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY));
  if (!blob) throw new Error("the picture could not be drawn");
  return { blob, size: { width, height } };
}

function event(media: HTMLMediaElement, name: "loadeddata" | "loadedmetadata"): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the file says nothing of itself")), METADATA_WAIT_MS);
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      settle();
    };
    media.addEventListener(name, end(resolve), { once: true });
    media.addEventListener(
      "error",
      end(() => reject(new Error("the file cannot be read"))),
      { once: true },
    );
  });
}
