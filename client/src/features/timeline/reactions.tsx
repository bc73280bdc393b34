import { SmilePlus } from "lucide-react";
import { Button } from "react-aria-components/Button";
import { Group } from "react-aria-components/Group";
import { Tooltip, TooltipTrigger } from "react-aria-components/Tooltip";
import { useNameList } from "~/hooks/name-list";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Message, Reaction } from "~/matrix/timeline";
import { cx } from "~/ui/cx";
import { EmojiButton } from "./emoji-button";
import styles from "./reactions.module.css";
import { useMayReact, useReact } from "./use-react";

const NAMED_MAX = 8;

/** The reactions under a message: a click joins in or takes back; who it was shows on hover and focus. */
export function Reactions({ roomId, message }: { roomId: RoomId; message: Message }) {
  const { t } = useTranslation("timeline");
  const mayReact = useMayReact(roomId, message);
  const react = useReact(roomId, message);
  return (
    <Group aria-label={t("reactions")} className={styles.bar ?? ""}>
      {message.reactions.map((reaction) => (
        <ReactionButton
          key={reaction.name}
          roomId={roomId}
          reaction={reaction}
          isDisabled={!mayReact && !reaction.ownEventId}
          onPress={() => react(reaction.name)}
        />
      ))}
      {mayReact && (
        <EmojiButton label={t("addReaction")} onPick={react} className={styles.add}>
          <SmilePlus size={15} strokeWidth={1.9} aria-hidden />
        </EmojiButton>
      )}
    </Group>
  );
}

function ReactionButton({
  roomId,
  reaction,
  isDisabled,
  onPress,
}: {
  roomId: RoomId;
  reaction: Reaction;
  isDisabled: boolean;
  onPress: () => void;
}) {
  const { t } = useTranslation("timeline");
  const names = useNameList(roomId, reaction.senders, NAMED_MAX);
  const count = reaction.senders.length;
  return (
    <TooltipTrigger delay={300} closeDelay={0}>
      <Button
        aria-label={t("reactionLabel", { name: reaction.name, count })}
        aria-pressed={reaction.ownEventId !== undefined}
        isDisabled={isDisabled}
        className={cx(styles.reaction, reaction.ownEventId !== undefined && styles.mine)}
        onPress={onPress}
      >
        <bdi className={styles.name}>{reaction.name}</bdi> {count}
      </Button>
      <Tooltip offset={6} className={styles.who ?? ""}>
        {t("reactedBy", { names, name: reaction.name })}
      </Tooltip>
    </TooltipTrigger>
  );
}
