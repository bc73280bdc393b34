import { Check } from "lucide-react";
import { Group } from "react-aria-components/Group";
import { shortName } from "~/hooks/name-list";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import type { Message, Poll } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import styles from "./poll-body.module.css";

/** A question with answers to choose from. Secret polls show their result at the end. */
export function PollBody({ roomId, message, body }: { roomId: RoomId; message: Message; body: Poll }) {
  const { t } = useTranslation("timeline");
  const { actions } = useSession();
  const showsResult = body.isEnded || !body.isSecret;
  const choose = (id: string) => {
    const isChosen = body.ownAnswers.includes(id);
    const others = body.ownAnswers.filter((chosen) => chosen !== id);
    const next = isChosen ? others : [...others, id].slice(-body.selectionsMax);
    actions.vote(roomId, message.eventId, next);
  };
  const end = () => actions.endPoll(roomId, message.eventId, t("pollEndText", { result: winners(body) }));
  return (
    <Group aria-label={t("poll", { question: body.question })} className={styles.poll ?? ""}>
      <p className={styles.question}>{body.question}</p>
      {body.answers.map((answer) => {
        const share = body.voterCount > 0 ? answer.voters.length / body.voterCount : 0;
        const isOwn = body.ownAnswers.includes(answer.id);
        return (
          <button
            key={answer.id}
            type="button"
            aria-pressed={isOwn}
            disabled={body.isEnded}
            className={cx(styles.answer, isOwn && styles.own)}
            onClick={() => choose(answer.id)}
          >
            {showsResult && (
              <i className={styles.share} style={{ "--share": `${Math.round(share * 100)}%` }} />
            )}
            <span className={styles.mark}>{isOwn && <Check size={12} strokeWidth={3} aria-hidden />}</span>
            <bdi className={styles.words}>{answer.text}</bdi>
            {showsResult && (
              <span className={cx(styles.count, "num")}>
                {answer.voters.length > 0 && <Voters roomId={roomId} voters={answer.voters} />}
                {t("votes", { count: answer.voters.length })}
              </span>
            )}
          </button>
        );
      })}
      <p className={styles.foot}>
        <span>{t(body.isEnded ? "pollEnded" : "pollOpen", { count: body.voterCount })}</span>
        {message.isOwn && !body.isEnded && (
          <Button kind="quiet" onPress={end}>
            {t("pollEnd")}
          </Button>
        )}
      </p>
    </Group>
  );
}

function winners({ answers }: Poll): string {
  const most = Math.max(...answers.map(({ voters }) => voters.length));
  return answers
    .filter(({ voters }) => voters.length === most)
    .map(({ text }) => text)
    .join(", ");
}

const NAMED_MAX = 3;

function Voters({ roomId, voters }: { roomId: RoomId; voters: readonly UserId[] }) {
  return voters.slice(0, NAMED_MAX).map((userId) => <Voter key={userId} roomId={roomId} userId={userId} />);
}

function Voter({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  return <bdi className={styles.voter}>{shortName(useMember(roomId, userId).name)}</bdi>;
}
