import type { Track } from "livekit-client";
import type { Call } from "./call";
import type { MemberKey } from "./types";

export type VideoSource = "camera" | "screen_share";

/** Shows what this member sends in the element, for as long as the track that is there now lives. */
export function attachVideo(
  call: Call,
  key: MemberKey,
  source: VideoSource,
  element: HTMLVideoElement,
): () => void {
  const participant = call.participantOf(key);
  // The library's names of sources are these words.
  const track = participant?.getTrackPublication(source as Track.Source)?.track;
  track?.attach(element);
  return () => {
    track?.detach(element);
  };
}
