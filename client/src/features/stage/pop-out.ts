import type { Calls } from "~/calls/calls";
import type { MemberKey } from "~/calls/types";

interface PictureWindows {
  requestWindow(size: { width: number; height: number }): Promise<Window>;
}

const SIZE = { width: 640, height: 376 };

/** Shows a shared screen in a small window over all others, by the best way that this browser has. */
export async function popOut(calls: Calls, key: MemberKey, video: HTMLVideoElement | null): Promise<void> {
  const pictures = (window as { documentPictureInPicture?: PictureWindows }).documentPictureInPicture;
  if (pictures) return show(await pictures.requestWindow(SIZE), calls, key);
  if (video && document.pictureInPictureEnabled) {
    await video.requestPictureInPicture();
    return;
  }
  const opened = window.open("", "", `popup,width=${SIZE.width},height=${SIZE.height}`);
  if (!opened) throw new Error("the browser lets no window open");
  show(opened, calls, key);
}

function show(target: Window, calls: Calls, key: MemberKey): void {
  const video = target.document.createElement("video");
  Object.assign(video, { autoplay: true, muted: true, playsInline: true });
  // A window of its own has none of our style sheets.
  Object.assign(video.style, {
    position: "fixed",
    inset: "0",
    width: "100%",
    height: "100%",
    background: "black",
  });
  target.document.body.append(video);
  const stop = calls.showVideo(key, "screen_share", video);
  target.addEventListener("pagehide", stop, { once: true });
}
