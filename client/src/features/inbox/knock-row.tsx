import { useAct } from "~/hooks/act";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { Knock } from "~/matrix/inbox";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import styles from "./inbox.module.css";

/** Somebody who asks to be let in. */
export function KnockRow({ knock, onAnswered }: { knock: Knock; onAnswered: () => void }) {
  const { t } = useTranslation("inbox");
  const { membership } = useSession();
  const room = useRoom(knock.roomId);
  const { isPending, error, run } = useAct();

  async function answer(isWelcome: boolean) {
    if (await run(() => membership.answerKnock(knock.roomId, knock.userId, isWelcome))) onAnswered();
  }

  return (
    <article className={styles.item}>
      <Avatar name={knock.name} seed={knock.userId} size={36} />
      <div className={styles.open}>
        <span>{t("knocks", { name: knock.name, room: room?.name })}</span>
        {knock.reason && <span className={styles.text}>{knock.reason}</span>}
        {error && <Notice tone="danger">{error}</Notice>}
      </div>
      <Button kind="quiet" isPending={isPending} onPress={() => void answer(false)}>
        {t("refuse")}
      </Button>
      <Button kind="primary" isPending={isPending} onPress={() => void answer(true)}>
        {t("letIn")}
      </Button>
    </article>
  );
}
