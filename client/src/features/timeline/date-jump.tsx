import { useState } from "react";
import { create } from "zustand";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";

const useDateJump = create<{ readonly roomId: RoomId | undefined }>()(() => ({ roomId: undefined }));

/** Asks for a day of this channel to go to. */
export const askForDate = (roomId: RoomId): void => useDateJump.setState({ roomId });
const close = (): void => useDateJump.setState({ roomId: undefined });

export function DateJump({ roomId }: { roomId: RoomId }) {
  const { roomId: asked } = useDateJump();
  return asked === roomId ? <DateDialog roomId={roomId} /> : null;
}

function DateDialog({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("timeline");
  const { timelines } = useSession();
  const [day, setDay] = useState("");
  const [state, setState] = useState<"open" | "pending" | "failed">("open");
  // Midnight of the reader's own place; not a number while the field is incomplete.
  const ts = new Date(`${day}T00:00`).getTime();
  const go = async () => {
    setState("pending");
    try {
      await timelines.jumpToTime(roomId, ts);
      close();
    } catch {
      setState("failed");
    }
  };
  return (
    <FormDialog
      title={t("dateTitle")}
      size="small"
      action={t("dateGo")}
      canSubmit={!Number.isNaN(ts)}
      isPending={state === "pending"}
      failure={state === "failed" ? t("dateFailed") : undefined}
      onSubmit={() => void go()}
      onClose={close}
    >
      <TextField label={t("dateLabel")} type="date" value={day} onChange={setDay} autoFocus />
    </FormDialog>
  );
}
