import { type RefObject, useEffect } from "react";
import type { CallMember } from "~/calls/types";
import { useSession } from "~/hooks/session";
import { cx } from "~/ui/cx";
import styles from "./tile.module.css";

interface MemberVideoProps {
  member: CallMember;
  source: "camera" | "screen_share";
  label: string;
  element: RefObject<HTMLVideoElement | null>;
}

/** What a member shows. One's own camera is mirrored, as one knows oneself. */
export function MemberVideo({ member, source, label, element }: MemberVideoProps) {
  const { calls } = useSession();
  const track = source === "camera" ? member.cameraTrack : member.screenTrack;
  useEffect(() => {
    if (!element.current || track === undefined) return;
    return calls.showVideo(member.key, source, element.current);
  }, [calls, member.key, source, track, element]);
  const isMirrored = source === "camera" && member.isMe;
  return (
    <video
      ref={element}
      aria-label={label}
      className={cx(styles.video, source === "screen_share" && styles.whole, isMirrored && styles.mirrored)}
      autoPlay
      playsInline
      muted
    />
  );
}
