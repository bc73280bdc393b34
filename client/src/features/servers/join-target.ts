/** What somebody pasted to join: an address, an ID or a link, with the servers to ask. */
interface JoinTarget {
  readonly target: string;
  readonly via: readonly string[];
}

/** Reads `#name:server`, `!id:server`, matrix.to and matrix: links, and links of this client; `undefined` if it is none. */
export function readJoinTarget(text: string): JoinTarget | undefined {
  const trimmed = text.trim();
  if (/^[#!][^\s:]+(:[^\s/]+)?$/.test(trimmed)) return { target: trimmed, via: viaOfId(trimmed) };
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return undefined;
  }
  const target = url.protocol === "matrix:" ? ofMatrixUri(url) : ofLink(url);
  if (!target || !/^[#!]/.test(target)) return undefined;
  const query = url.hash.includes("?") ? url.hash.slice(url.hash.indexOf("?")) : url.search;
  const via = new URLSearchParams(query).getAll("via");
  return { target, via: via.length > 0 ? via : viaOfId(target) };
}

/** `matrix:r/name:server`, `matrix:roomid/id:server` (CS API § matrix: URI scheme). */
function ofMatrixUri(url: URL): string | undefined {
  const [kind, name] = url.pathname.split("/");
  if (!name) return undefined;
  if (kind === "r") return `#${decode(name)}`;
  return kind === "roomid" ? `!${decode(name)}` : undefined;
}

/** `https://matrix.to/#/…`, and `/room/…` or `/#/room/…` of a client. */
function ofLink(url: URL): string | undefined {
  const path = url.hash.startsWith("#/") ? url.hash.slice(1).split("?")[0] : url.pathname;
  const found = /^\/(?:room\/)?([^/]+)/.exec(path ?? "")?.[1];
  return found ? decode(found) : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function viaOfId(id: string): string[] {
  const server = id.includes(":") ? id.slice(id.indexOf(":") + 1) : "";
  return server ? [server] : [];
}
