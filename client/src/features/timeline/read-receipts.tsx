import { Button } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { useNameList } from "~/hooks/name-list";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Name } from "./author";
import { PersonAvatar } from "./person-avatar";
import styles from "./read-receipts.module.css";
import { useMessageTimes } from "./times";

const SHOWN_MAX = 3;

/** Who has read up to here: three faces, all of them on click. */
export function ReadReceipts({ roomId, readers }: { roomId: RoomId; readers: readonly UserId[] }) {
  const { t } = useTranslation("timeline");
  const label = t("readBy", { names: useNameList(roomId, readers, SHOWN_MAX) });
  const others = readers.length - SHOWN_MAX;
  return (
    <DialogTrigger>
      <Button aria-label={label} className={styles.receipts ?? ""}>
        {readers.slice(0, SHOWN_MAX).map((userId) => (
          <PersonAvatar key={userId} roomId={roomId} userId={userId} size={17} />
        ))}
        {others > 0 && <span className={styles.more}>+{others}</span>}
      </Button>
      <Popover className={styles.popover ?? ""} offset={6}>
        <Dialog aria-label={label} className={styles.dialog ?? ""}>
          <ReaderList roomId={roomId} readers={readers} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function ReaderList({ roomId, readers }: { roomId: RoomId; readers: readonly UserId[] }) {
  const { actions } = useSession();
  const times = useMessageTimes();
  return (
    <ul>
      {actions.readersOf(roomId, readers).map(({ userId, ts }) => (
        <li key={userId} className={styles.reader}>
          <PersonAvatar roomId={roomId} userId={userId} size={26} />
          <span className={styles.name}>
            <Name roomId={roomId} userId={userId} />
          </span>
          {ts > 0 && <time className="num">{times.clock(ts)}</time>}
        </li>
      ))}
    </ul>
  );
}
