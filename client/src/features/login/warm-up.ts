let isWarm = false;

/** Fetches what comes after the sign-in while somebody types: the SDK, and the cryptography, which is the largest part. */
export function warmUp(): void {
  if (isWarm) return;
  isWarm = true;
  const fetched = [
    import("~/matrix/session"),
    import("~/features/shell"),
    import("~/matrix/encryption/wasm").then(({ load }) => load()),
  ];
  // Whatever fails now is fetched again when it is needed, and says so then.
  for (const part of fetched) part.catch(() => {});
}
