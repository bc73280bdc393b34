import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { callSettings } from "~/calls/settings";
import { usePermissions } from "~/hooks/permissions";
import { usePreferences } from "~/hooks/preferences";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, RoomId } from "~/matrix/ids";
import { Checkbox } from "~/ui/checkbox";
import styles from "./composer.module.css";
import { EditBar, ReplyBar } from "./context-bar";
import { type Dropped, DropZone } from "./drop";
import { Editor } from "./editor";
import { CommandHelp } from "./help";
import { usePasteAnywhere } from "./paste";
import { PollDialog } from "./poll-dialog";
import { Preview } from "./preview";
import type { Recorded } from "./recorder";
import { beginEdit, currentOf, useComposerStore } from "./store";
import { Toolbar } from "./toolbar";
import { trayOf } from "./tray";
import { TypingNotice } from "./typing";
import { UploadCards } from "./upload-cards";
import { useAttach } from "./use-attach";
import { useSubmit } from "./use-submit";
import { VoiceMessage } from "./voice-message";

interface ComposerProps {
  roomId: RoomId;
  threadId?: EventId;
}

/** Where one writes into a room or a thread. */
export function Composer({ roomId, threadId }: ComposerProps) {
  const { t } = useTranslation("composer");
  const { send } = usePermissions(roomId);
  const room = useRoom(roomId);
  if (!send) {
    return (
      <p className={`${styles.composer} ${styles.disabled}`}>
        {t(room?.kind === "announcement" ? "mayNotAnnounce" : "mayNotSend")}
      </p>
    );
  }
  return <Writing roomId={roomId} {...(threadId ? { threadId } : {})} />;
}

function Writing({ roomId, threadId }: ComposerProps) {
  const { t } = useTranslation("composer");
  const session = useSession();
  const { sender } = session;
  const room = useRoom(roomId);
  const { mentionRoom } = usePermissions(roomId);
  const store = useComposerStore(roomId, threadId);
  const state = store();
  const tray = useMemo(() => trayOf(session, { roomId, threadId }), [session, roomId, threadId]);
  const { files } = tray.store();
  const attach = useAttach(tray);
  // Words to them, and Enter, come next.
  const attachAndWrite = useCallback(
    (dropped: Dropped) => {
      attach(dropped);
      store.setState({ wish: {} });
    },
    [attach, store],
  );
  const card = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [showsHelp, setShowsHelp] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [isPreviewing, setIsPreviewing] = useState(false);
  const [isEchoed, setIsEchoed] = useState(false);
  const [isRecording, setIsRecording] = useState(false);
  const endRecording = useCallback(() => setIsRecording(false), []);
  const sendRecording = useCallback(
    ({ file, durationMs, waveform }: Recorded) => void tray.add([file], { durationMs, waveform }),
    [tray],
  );
  const submit = useSubmit(
    roomId,
    threadId,
    store,
    tray,
    isEchoed,
    useCallback(() => setShowsHelp(true), []),
  );
  usePasteAnywhere(card, {
    onFiles: useCallback((chosen) => attachAndWrite({ files: chosen, hasFolder: false }), [attachAndWrite]),
    onText: useCallback((text) => store.setState({ wish: { insert: text } }), [store]),
  });
  const typing = useMemo(() => {
    let isTold = false;
    return new TypingNotice((isTyping) => {
      // Whoever counts every byte, or wants to be unseen, types in silence; an end is told of what was told.
      const isSilent = callSettings.getState().lowBandwidth || !usePreferences.getState().sendsTyping;
      if (isTyping ? isSilent : !isTold) return;
      isTold = isTyping;
      void sender.typing(roomId, isTyping);
    });
  }, [sender, roomId]);
  useEffect(() => () => typing.end(), [typing]);

  const { text } = currentOf(state);
  const cancelEdit = () => store.setState({ edit: undefined, wish: {} });
  const cancelReply = () => {
    const { replyTo: _, ...draft } = state.draft;
    store.setState({ draft, wish: {} });
  };

  function onSubmit() {
    if (submit() !== "sent") return;
    typing.end();
    setIsPreviewing(false);
    // Each time on purpose: the rest of a thread is seldom for everybody.
    setIsEchoed(false);
  }

  const channel = room?.kind === "direct" ? room.name : `#${room?.name ?? ""}`;
  return (
    <div ref={card} className={styles.composer}>
      <DropZone anchor={card} label={t("dropHere", { channel })} onDrop={attachAndWrite} />
      <UploadCards tray={tray} />
      {state.edit ? (
        <EditBar onClose={cancelEdit} />
      ) : (
        state.draft.replyTo !== undefined && (
          <ReplyBar roomId={roomId} eventId={state.draft.replyTo} onClose={cancelReply} />
        )
      )}
      {isRecording ? (
        <VoiceMessage onRecorded={sendRecording} onClose={endRecording} />
      ) : (
        <>
          {isPreviewing ? (
            <Preview
              roomId={roomId}
              ownId={session.userId}
              draft={currentOf(state)}
              allowsRoom={mentionRoom}
              label={t("preview")}
            />
          ) : (
            <Editor
              roomId={roomId}
              store={store}
              field={field}
              label={threadId ? t("writeThread") : t("write", { channel })}
              isDisabled={false}
              allowsRoom={mentionRoom}
              onSubmit={onSubmit}
              onCancel={() => {
                if (state.edit) cancelEdit();
                else if (state.draft.replyTo !== undefined) cancelReply();
                else return false;
                return true;
              }}
              onEditLast={() => beginEdit(session, store, roomId, sender.lastEditable({ roomId, threadId }))}
              onFiles={(chosen) => attach({ files: chosen, hasFolder: false })}
              onType={(isEmpty) => {
                // Threads have no typing of their own.
                if (threadId || state.edit) return;
                if (isEmpty) typing.end();
                else typing.note();
              }}
            />
          )}
          {threadId && !state.edit && (
            <div className={styles.echo}>
              <Checkbox label={t("echo", { channel })} isSelected={isEchoed} onChange={setIsEchoed} />
            </div>
          )}
          <Toolbar
            field={field}
            isPreviewing={isPreviewing}
            onPreview={setIsPreviewing}
            canSend={text.trim() !== "" || files.some(({ isSending }) => !isSending)}
            onFiles={(chosen) => attach({ files: chosen, hasFolder: false })}
            onEmoji={(emoji) => store.setState({ wish: { insert: emoji } })}
            onPoll={() => setIsAsking(true)}
            onRecord={() => setIsRecording(true)}
            onSend={onSubmit}
          />
        </>
      )}
      {isAsking && (
        <PollDialog
          onClose={() => setIsAsking(false)}
          onSend={({ question, answers, selectionsMax }) =>
            sender.poll({ roomId, threadId }, question, answers, selectionsMax)
          }
        />
      )}
      <CommandHelp isOpen={showsHelp} onClose={() => setShowsHelp(false)} />
    </div>
  );
}
