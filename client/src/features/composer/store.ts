import { useMemo } from "react";
import { create, type StoreApi, type UseBoundStore } from "zustand";
import { useSession } from "~/hooks/session";
import { type Begun, type Draft, isNothing, type Mention } from "~/matrix/drafts";
import { type EventId, localpartOf, type RoomId, type UserId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";
import type { Editable } from "~/matrix/send";
import type { Session } from "~/matrix/session";

/** A place where one writes: a room, or a thread of it. */
export interface ComposerState extends Begun {
  /** What the text field is to do next: put a text at its caret, or go to its end. New object, new wish. */
  readonly wish: { readonly insert?: string } | undefined;
}

type ComposerStore = UseBoundStore<StoreApi<ComposerState>>;

/** By session, so that nothing of an account is there for who signs in after it. */
const stores = new WeakMap<Session, Map<string, ComposerStore>>();

/** What the others of the room's screen ask of its composer. */
interface ComposerActions {
  /** Begins an answer to a message. */
  readonly replyTo: (eventId: EventId) => void;
  /** Begins to change a message of one's own; false if it cannot be changed. */
  readonly edit: (eventId: EventId) => boolean;
  /** Puts a text at the caret. */
  readonly insert: (text: string) => void;
}

/** The composer of a room or thread, for those outside it: never renders again by itself. */
export function useComposer(roomId: RoomId, threadId?: EventId): ComposerActions {
  const session = useSession();
  return useMemo(() => {
    const store = storeOf(session, roomId, threadId);
    return {
      replyTo: (eventId) => {
        const { draft } = store.getState();
        store.setState({ draft: { ...draft, replyTo: eventId }, edit: undefined, wish: {} });
      },
      edit: (eventId) => beginEdit(session, store, roomId, session.sender.editable(roomId, eventId)),
      insert: (insert) => store.setState({ wish: { insert } }),
    };
  }, [session, roomId, threadId]);
}

/** The state itself, for the composer. */
export function useComposerStore(roomId: RoomId, threadId?: EventId): ComposerStore {
  const session = useSession();
  return useMemo(() => storeOf(session, roomId, threadId), [session, roomId, threadId]);
}

/** What is being written now: the edit, or else the draft. */
export const currentOf = ({ edit, draft }: ComposerState): Draft => edit?.draft ?? draft;

/** Changes what is being written. */
export function write(store: ComposerStore, change: Partial<Draft>): void {
  store.setState(({ edit, draft }) =>
    edit ? { edit: { ...edit, draft: { ...edit.draft, ...change } } } : { draft: { ...draft, ...change } },
  );
}

/** Begins to change this message; false if there is none. */
export function beginEdit(
  session: Session,
  store: ComposerStore,
  roomId: RoomId,
  before: Editable | undefined,
): boolean {
  if (!before) return false;
  const text = before.msgtype === "m.emote" ? `/me ${before.body}` : before.body;
  store.setState({
    edit: { before, draft: { text, mentions: mentionsIn(session, roomId, before) } },
    wish: {},
  });
  return true;
}

/** The names in a text of one's own that stand for people and channels, read back from its links. */
function mentionsIn(session: Session, roomId: RoomId, { body, html, mentions }: Editable): Mention[] {
  const found = new Map<string, Mention>();
  if (html) {
    // An inert document: nothing in it runs or is fetched.
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const link of page.querySelectorAll("a[href^='https://matrix.to/#/']")) {
      const id = decodeURIComponent(link.getAttribute("href")?.slice(20).split("?")[0] ?? "");
      const text = link.textContent ?? "";
      const kind = id.startsWith("@") ? "user" : "channel";
      const label = kind === "user" && body.includes(`@${text}`) ? `@${text}` : text;
      if (body.includes(label)) found.set(label, { label, kind, id });
    }
  }
  for (const userId of mentions.userIds) {
    const { name } = session.members.one.peek(memberKey(roomId, userId as UserId));
    for (const label of [`@${name}`, `@${localpartOf(userId)}`])
      if (body.includes(label) && !found.has(label)) found.set(label, { label, kind: "user", id: userId });
  }
  return [...found.values()];
}

function storeOf(session: Session, roomId: RoomId, threadId?: EventId): ComposerStore {
  const { drafts } = session;
  const ofSession = stores.get(session) ?? new Map<string, ComposerStore>();
  stores.set(session, ofSession);
  const key = `${roomId}|${threadId ?? ""}`;
  const known = ofSession.get(key);
  if (known) return known;
  const store = create<ComposerState>()(() => ({ ...drafts.read(roomId, threadId), wish: undefined }));
  void drafts.isLoaded.then(() => {
    if (isNothing(store.getState())) store.setState(drafts.read(roomId, threadId));
  });
  store.subscribe(({ draft, edit }, before) => {
    if (draft !== before.draft || edit !== before.edit) drafts.write(roomId, threadId, { draft, edit });
  });
  ofSession.set(key, store);
  return store;
}
