import { useEffect, useState } from "react";
import { useCallSettings } from "./calls";
import { useSession } from "./session";

const SPARED_BELOW = 60;

/**
 * An address of a file in the media repository that an `<img>` can load, of this size in CSS pixels.
 * Where the service worker does not add the token, the picture is fetched here and handed out as an object URL.
 */
export function useMediaUrl(mxc: string | undefined, size?: number): string | undefined {
  const { media } = useSession();
  const isSparing = useCallSettings((settings) => settings.lowBandwidth);
  // Whoever counts every byte sees initials in rows, and faces where they look closer.
  const wanted = isSparing && size !== undefined && size < SPARED_BELOW ? undefined : mxc;
  const pixels = size ? Math.ceil(size * Math.max(1, window.devicePixelRatio)) : undefined;
  const address = media.address(wanted, pixels ? { width: pixels, height: pixels } : undefined);
  const [loaded, setLoaded] = useState<{ address: string; url: string }>();
  const isByWorker = navigator.serviceWorker?.controller != null;

  useEffect(() => {
    if (!address || isByWorker) return;
    const controller = new AbortController();
    let url: string | undefined;
    media.load(address, controller.signal).then(
      (blob) => {
        url = URL.createObjectURL(blob);
        setLoaded({ address, url });
      },
      // Initials stand there instead.
      () => {},
    );
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [media, address, isByWorker]);

  if (isByWorker) return address;
  return loaded && loaded.address === address ? loaded.url : undefined;
}
