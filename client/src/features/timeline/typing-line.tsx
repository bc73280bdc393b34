import { Trans, useTranslation } from "react-i18next";
import { useMember } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId, UserId } from "~/matrix/ids";
import { shortName } from "./author";
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
  const name = shortName(useMember(roomId, userId).name);
  return <Trans t={t} i18nKey="typingOne" values={{ name }} components={{ b: <b /> }} />;
}

function Two({ roomId, users }: { roomId: RoomId; users: readonly [UserId, UserId] }) {
  const { t } = useTranslation("timeline");
  const first = shortName(useMember(roomId, users[0]).name);
  const second = shortName(useMember(roomId, users[1]).name);
  return <Trans t={t} i18nKey="typingTwo" values={{ first, second }} components={{ b: <b /> }} />;
}

function Several({ count }: { count: number }) {
  const { t } = useTranslation("timeline");
  return t("typingMany", { count });
}
