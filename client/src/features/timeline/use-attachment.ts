import { useEffect, useState } from "react";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import type { Session } from "~/matrix/session";
import { decryptAttachment, type MediaSource, safeType } from "~/matrix/timeline";

type Loaded = { readonly status: "loading" | "failed" } | { readonly status: "ready"; readonly url: string };

/** A file as bytes, decrypted if it is encrypted. */
export async function loadAttachment(
  { media }: Session,
  source: MediaSource,
  signal?: AbortSignal,
): Promise<Blob> {
  const address = media.address(source.mxc);
  if (!address) throw new Error("the file has no address");
  const blob = await media.load(address, signal);
  const bytes = await blob.arrayBuffer();
  const clear = source.file ? await decryptAttachment(bytes, source.file) : bytes;
  return new Blob([clear], { type: safeType(source.mimetype || blob.type) });
}

/** An address for a whole file while the component is there; nothing is fetched before `isWanted`. */
export function useAttachment(source: MediaSource | undefined, isWanted = true): Loaded {
  const session = useSession();
  const [loaded, setLoaded] = useState<{ source: MediaSource; state: Loaded }>();
  useEffect(() => {
    if (!source || !isWanted) return;
    const controller = new AbortController();
    let url: string | undefined;
    loadAttachment(session, source, controller.signal).then(
      (blob) => {
        url = URL.createObjectURL(blob);
        setLoaded({ source, state: { status: "ready", url } });
      },
      () => {
        if (!controller.signal.aborted) setLoaded({ source, state: { status: "failed" } });
      },
    );
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [session, source, isWanted]);
  return loaded && loaded.source === source ? loaded.state : { status: "loading" };
}

/** A small picture of a file: cut by the server, or decrypted here as a whole. */
export function useThumbnail(source: MediaSource | undefined, side: number): string | undefined {
  const byServer = useMediaUrl(source && !source.file ? source.mxc : undefined, side);
  const decrypted = useAttachment(source?.file ? source : undefined, source?.file !== undefined);
  return source?.file ? (decrypted.status === "ready" ? decrypted.url : undefined) : byServer;
}
