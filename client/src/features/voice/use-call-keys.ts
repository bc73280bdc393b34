import { useEffect, useRef } from "react";
import type { CurrentCall } from "~/calls/types";
import { useCallSettings } from "~/hooks/calls";
import { useSession } from "~/hooks/session";

type Action = "mute" | "deafen" | "camera" | "leave";
const KEYS: Readonly<Record<string, Action>> = {
  KeyM: "mute",
  KeyD: "deafen",
  KeyE: "camera",
  KeyL: "leave",
};

/** What a key stands for in a call: Ctrl (or ⌘) and Shift with a letter. */
export function actionOf(event: Pick<KeyboardEvent, "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">) {
  if (!(event.ctrlKey || event.metaKey) || !event.shiftKey || event.altKey) return undefined;
  return KEYS[event.code];
}

/** Whether this key writes: then it does not talk. */
function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** The keys of a call, from everywhere in the client: its shortcuts, and the one to hold while talking. */
export function useCallKeys(call: CurrentCall): void {
  const { calls } = useSession();
  const now = useRef(call);
  now.current = call;
  const talkKey = useCallSettings((settings) => settings.pushToTalkKey);
  const talksByKey = useCallSettings((settings) => settings.pushToTalk);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = actionOf(event);
      if (!action || event.repeat) return;
      event.preventDefault();
      const { isMuted, isDeafened, hasCamera } = now.current;
      if (action === "mute") void calls.setMuted(!isMuted);
      if (action === "deafen") void calls.setDeafened(!isDeafened);
      if (action === "camera") void calls.setCamera(!hasCamera);
      if (action === "leave") void calls.leave();
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [calls]);

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
      if (event.code !== talkKey || event.repeat || isWriting(event.target)) return;
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
