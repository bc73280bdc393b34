import { useEffect } from "react";
import type { CurrentCall } from "~/calls/types";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";
import { useShortcut } from "~/hooks/shortcuts";

/** Keys that write nothing: they talk also from within the composer. Right Alt is AltGr, which writes. */
const SILENT_KEYS = /^(Control(Left|Right)|AltLeft|F\d{1,2}|CapsLock|Pause|ScrollLock|ContextMenu)$/;

/** Whether this key writes: then it does not talk. */
function isWriting({ code, target }: KeyboardEvent): boolean {
  return (
    !SILENT_KEYS.test(code) &&
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The keys of a call, from everywhere in the client: its shortcuts, and the one to hold while talking. */
export function useCallKeys(call: CurrentCall): void {
  const { calls } = useSession();
  const talkKey = useCallSettings((settings) => settings.pushToTalkKey);
  const talksByKey = useCallSettings((settings) => settings.pushToTalk);

  useShortcut("mute", () => void calls.setMuted(!call.isMuted));
  useShortcut("deafen", () => void calls.setDeafened(!call.isDeafened));
  useShortcut("camera", () => void calls.setCamera(!call.hasCamera));
  useShortcut("leaveCall", () => void calls.leave());

  useEffect(() => {
    if (!talksByKey) return;
    void calls.setMuted(true);
    let isTalking = false;
    const talk = (talks: boolean) => {
      if (isTalking === talks) return;
      isTalking = talks;
      void calls.setMuted(!talks);
    };
    const onDown = (event: KeyboardEvent) => {
      if (event.code !== talkKey || event.repeat || isWriting(event)) return;
      event.preventDefault();
      talk(true);
    };
    const onUp = (event: KeyboardEvent) => {
      if (event.code === talkKey) talk(false);
    };
    // A window that loses the focus never learns that the key was let go.
    const onBlur = () => talk(false);
    window.addEventListener("keydown", onDown);
    window.addEventListener("keyup", onUp);
    window.addEventListener("blur", onBlur);
    return () => {
      talk(false);
      window.removeEventListener("keydown", onDown);
      window.removeEventListener("keyup", onUp);
      window.removeEventListener("blur", onBlur);
    };
  }, [calls, talksByKey, talkKey]);
}
