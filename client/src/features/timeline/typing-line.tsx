import { shortName } from "~/hooks/name-list";
import { useMember } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import styles from "./typing-line.module.css";

/** Who is typing, below the messages. Its place is there even while nobody is. */
export function TypingLine({ roomId }: { roomId: RoomId }) {
  const typing = useSlice(useSession().typing.rooms, roomId);
  const [first, second, third] = typing;
  return (
    <div role="status" className={styles.line}>
      {first && (
        <>
          <span className={styles.dots} aria-hidden>
            <i />
            <i />
            <i />
          </span>
          <span className={styles.words}>
            {third ? (
              <Several count={typing.length} />
            ) : second ? (
              <Two roomId={roomId} users={[first, second]} />
            ) : (
              <One roomId={roomId} userId={first} />
            )}
          </span>
        </>
      )}
    </div>
  );
}

function One({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("timeline");
  return withNames(t("typingOne", { name: PLACES[0] }), [useMember(roomId, userId).name]);
}

function Two({ roomId, users }: { roomId: RoomId; users: readonly [UserId, UserId] }) {
  const { t } = useTranslation("timeline");
  const names = [useMember(roomId, users[0]).name, useMember(roomId, users[1]).name];
  return withNames(t("typingTwo", { first: PLACES[0], second: PLACES[1] }), names);
}

/** Where names go in a sentence: they are put in as elements, so that what is in a name stays a name. */
const PLACES = ["{1}", "{2}"] as const;

function withNames(sentence: string, names: readonly string[]) {
  return sentence.split(/(\{[12]\})/).map((part) => {
    const place = (PLACES as readonly string[]).indexOf(part);
    const name = names[place];
    return name === undefined ? part : <b key={part}>{shortName(name)}</b>;
  });
}

function Several({ count }: { count: number }) {
  const { t } = useTranslation("timeline");
  return t("typingMany", { count });
}
