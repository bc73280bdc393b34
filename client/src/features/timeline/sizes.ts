/** How large a picture is shown: within the bounds, never larger than it is. Unknown sizes get a square of their own. */
export function fitted(
  width: number | undefined,
  height: number | undefined,
  { widthMax, heightMax }: { widthMax: number; heightMax: number },
): { width: number; height: number } {
  if (!width || !height) return { width: Math.min(240, widthMax), height: Math.min(180, heightMax) };
  const scale = Math.min(1, widthMax / width, heightMax / height);
  return { width: Math.max(24, Math.round(width * scale)), height: Math.max(24, Math.round(height * scale)) };
}

const UNITS = ["B", "kB", "MB", "GB"] as const;

/** 1.8 MB */
export function bytesAsText(bytes: number, language: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)} ${UNITS[unit]}`;
}

/** 1:05 */
export function durationAsText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
