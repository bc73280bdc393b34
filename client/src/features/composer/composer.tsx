import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import styles from "./composer.module.css";

export function Composer({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("composer");
  const { sender } = useSession();
  const room = useRoom(roomId);
  const [text, setText] = useState("");

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (text.trim() === "") return;
    setText("");
    sender.text(roomId, text);
  }

  const label = t("write", { channel: room?.name ?? "" });
  return (
    <div className={styles.composer}>
      <textarea
        aria-label={label}
        placeholder={label}
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className={styles.text}
      />
    </div>
  );
}
