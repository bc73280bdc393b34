import type { RoomId, UserId } from "~/matrix/ids";
import styles from "./profile.module.css";
import { ProfileCard } from "./profile-card";

/** A profile for the panel beside a channel: for links to it, and for phones. */
export function ProfilePanel({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  return (
    <div className={styles.panel}>
      <ProfileCard roomId={roomId} userId={userId} />
    </div>
  );
}
