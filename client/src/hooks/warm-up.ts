import { insideTexts } from "~/i18n";

let isWarm = false;

/**
 * Fetches what comes after the sign-in, all at once: the screens, the SDK, and the cryptography, which is the largest part. Call it
 * while somebody types, or as soon as it is known that nobody has to.
 */
export function warmUp(): void {
  if (isWarm) return;
  isWarm = true;
  const fetched = [
    import("~/matrix/session"),
    import("~/inside"),
    insideTexts(),
    import("~/matrix/encryption/wasm").then(({ load }) => load()),
  ];
  // Whatever fails now is fetched again when it is needed, and says so then.
  for (const part of fetched) part.catch(() => {});
}
