import { Link } from "@tanstack/react-router";
import { useMediaUrl } from "~/hooks/media";
import { useMember, useRoom } from "~/hooks/rooms";
import { useTimes } from "~/hooks/times";
import type { Found, FoundLine } from "~/matrix/search";
import { Avatar } from "~/ui/avatar";
import { marked } from "./marked-text";
import styles from "./search.module.css";

interface FoundMessageProps {
  found: Found;
  highlights: readonly string[];
  showsRoom: boolean;
}

/** A message that was found, between what was said before and after it; a click goes there. */
export function FoundMessage({ found, highlights, showsRoom }: FoundMessageProps) {
  const room = useRoom(found.roomId);
  const { name, avatarMxc } = useMember(found.roomId, found.sender);
  const src = useMediaUrl(avatarMxc, 24);
  const times = useTimes();
  const sender = name === found.sender ? found.senderName : name;
  return (
    <li>
      <Link
        to="/room/$roomId"
        params={{ roomId: found.roomId }}
        search={(before) => ({ ...before, event: found.eventId })}
        className={styles.found}
      >
        {showsRoom && <span className={styles.room}>#{room?.name ?? found.roomId}</span>}
        <Neighbour line={found.before} />
        <span className={styles.head}>
          <Avatar name={sender} seed={found.sender} src={src} size={24} />
          <b>{sender}</b>
          <time dateTime={new Date(found.ts).toISOString()}>{times.moment(found.ts)}</time>
        </span>
        <span className={styles.body}>
          {marked(found.body, highlights).map(({ text, at, isMarked }) =>
            isMarked ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
          )}
        </span>
        <Neighbour line={found.after} />
      </Link>
    </li>
  );
}

function Neighbour({ line }: { line: FoundLine | undefined }) {
  if (!line) return null;
  return (
    <span className={styles.neighbour}>
      <b>{line.senderName}</b> {line.body}
    </span>
  );
}
