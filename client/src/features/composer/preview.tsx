import { RichText } from "~/features/timeline";
import type { Draft } from "~/matrix/drafts";
import { type RoomId, serverOf, type UserId } from "~/matrix/ids";
import { parseCommand } from "./commands";
import styles from "./composer.module.css";
import { renderMarkdown } from "./markdown";

interface PreviewProps {
  roomId: RoomId;
  ownId: UserId;
  draft: Draft;
  allowsRoom: boolean;
  label: string;
}

/** The text as the others will see it. */
export function Preview({ roomId, ownId, draft, allowsRoom, label }: PreviewProps) {
  const command = parseCommand(draft.text);
  const text = command.kind === "say" ? command.text : draft.text;
  const isPlain = command.kind !== "say" || command.isPlain;
  const { html } = renderMarkdown(text, {
    mentions: draft.mentions,
    allowsRoom,
    via: serverOf(ownId),
  });
  return (
    <section aria-label={label} className={styles.preview}>
      <RichText roomId={roomId} body={text} html={isPlain ? undefined : html} />
    </section>
  );
}
