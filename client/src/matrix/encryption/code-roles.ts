/** Codes (CS API § QR codes): to show one, to read one, and what both need. */
export const SHOW = "m.qr_code.show.v1";
export const SCAN = "m.qr_code.scan.v1";
export const RECIPROCATE = "m.reciprocate.v1";

interface Sides {
  readonly hasAsked: boolean;
  readonly isMine: (method: string) => boolean;
  readonly isTheirs: (method: string) => boolean;
}

/**
 * What this side does with codes: one shows and the other reads, never both, because the SDK's request does not follow a code that was
 * read after it had made one of its own. Who asked shows, unless only it can read; `undefined` if there is no code between them.
 */
export function codeRole({ hasAsked, isMine, isTheirs }: Sides): "show" | "read" | undefined {
  const mayShow = isMine(SHOW) && isTheirs(SCAN);
  const mayRead = isMine(SCAN) && isTheirs(SHOW);
  if (mayShow && (hasAsked || !mayRead)) return "show";
  return mayRead ? "read" : undefined;
}
