import {
  type ClipboardEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useId,
  useLayoutEffect,
  useState,
} from "react";
import type { RoomId } from "~/matrix/ids";
import { cx } from "~/ui/cx";
import styles from "./editor.module.css";
import { type Format, format, type Replacement } from "./format";
import { piecesOf } from "./mirror";
import { filesIn } from "./paste";
import { type ComposerState, currentOf, type useComposerStore, write } from "./store";
import { optionId, Suggestions } from "./suggestions";
import { complete } from "./trigger";
import { type Suggestion, useSuggestions } from "./use-suggestions";

interface EditorProps {
  roomId: RoomId;
  store: ReturnType<typeof useComposerStore>;
  field: RefObject<HTMLTextAreaElement | null>;
  label: string;
  isDisabled: boolean;
  allowsRoom: boolean;
  onSubmit: () => void;
  /** Escape; true if there was something to end. */
  onCancel: () => boolean;
  /** Up in an empty field. */
  onEditLast: () => void;
  onFiles: (files: readonly File[]) => void;
  onType: (isEmpty: boolean) => void;
}

const FORMAT_KEYS: Readonly<Record<string, Format>> = { b: "bold", i: "italic", e: "code" };

/**
 * The text field: a native `textarea`, so that input methods, spelling, undo and screen readers work, over a mirror of the
 * same text that shows names as pills and makes the field grow.
 */
export function Editor(props: EditorProps) {
  const { roomId, store, field, label, isDisabled, allowsRoom, onSubmit, onCancel, onType } = props;
  const listId = useId();
  const { text, mentions } = currentOf(store());
  const wish = store((state: ComposerState) => state.wish);
  const [caret, setCaret] = useState(0);
  const [current, setCurrent] = useState(0);
  /** Where suggestions were waved away. */
  const [dismissedAt, setDismissedAt] = useState<number>();
  const { trigger, suggestions } = useSuggestions(roomId, text, caret, mentions);
  const isOpen = trigger !== undefined && suggestions.length > 0 && trigger.start !== dismissedAt;
  const chosen = Math.min(current, suggestions.length - 1);

  useEffect(() => {
    const element = field.current;
    if (!wish || !element) return;
    element.focus();
    if (wish.insert === undefined) element.setSelectionRange(element.value.length, element.value.length);
    else replace(element, here(element, wish.insert));
    store.setState({ wish: undefined });
  }, [wish, field, store]);

  // Long texts scroll as one: the field is as high as its mirror, and both lie in what scrolls.
  useLayoutEffect(() => {
    const element = field.current;
    if (element && document.activeElement === element && caret === text.length) {
      const scroller = element.parentElement?.parentElement;
      scroller?.scrollTo({ top: scroller.scrollHeight });
    }
  }, [text, caret, field]);

  function choose(suggestion: Suggestion) {
    const element = field.current;
    if (!trigger || !element) return;
    if (suggestion.mention) {
      const { mention } = suggestion;
      write(store, { mentions: [...mentions.filter((known) => known.label !== mention.label), mention] });
    }
    const after = complete(text, caret, trigger, suggestion.inserted);
    const inserted = after.text.slice(trigger.start, after.text.length - (text.length - caret));
    replace(element, {
      from: trigger.start,
      to: caret,
      text: inserted,
      select: [after.caret, after.caret],
    });
    suggestion.onChosen?.();
    setCurrent(0);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // While an input method composes, the keys are its own (229 where the browser says no more).
    if (event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229) return;
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isOpen && plain && onListKey(event.key)) return event.preventDefault();
    if (event.key === "Enter" && plain) {
      event.preventDefault();
      onSubmit();
    } else if (event.key === "Escape" && plain) {
      // Only what ends something here; otherwise the key is others'.
      if (onCancel()) event.preventDefault();
    } else if (event.key === "ArrowUp" && plain && text === "") {
      event.preventDefault();
      props.onEditLast();
    } else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      const kind = FORMAT_KEYS[event.key.toLowerCase()];
      if (!kind) return;
      event.preventDefault();
      applyFormat(event.currentTarget, kind);
    }
  }

  /** True if the list of suggestions took the key. */
  function onListKey(key: string): boolean {
    const suggestion = suggestions[chosen];
    if (key === "ArrowDown") setCurrent((chosen + 1) % suggestions.length);
    else if (key === "ArrowUp") setCurrent((chosen + suggestions.length - 1) % suggestions.length);
    else if (key === "Escape") setDismissedAt(trigger?.start);
    else if ((key === "Enter" || key === "Tab") && suggestion) {
      // A command that is typed out is sent, not completed.
      if (key === "Enter" && trigger?.kind === "command" && suggestion.label === text) return false;
      choose(suggestion);
    } else return false;
    return true;
  }

  function onPaste(event: ClipboardEvent<HTMLTextAreaElement>) {
    const files = filesIn(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    props.onFiles(files);
  }

  return (
    <>
      {isOpen && <Suggestions id={listId} suggestions={suggestions} current={chosen} onChoose={choose} />}
      <div className={styles.scroller}>
        <div className={styles.layers}>
          <div aria-hidden className={cx(styles.layer, styles.mirror)}>
            {piecesOf(text, mentions, allowsRoom).map((piece) =>
              piece.kind === "text" ? (
                <span key={piece.at}>{piece.text}</span>
              ) : (
                <span key={piece.at} className={cx(styles.pill, piece.kind === "room" && styles.loud)}>
                  {piece.text}
                </span>
              ),
            )}
            {/* A last empty line has its height. */}
            {"\u200b"}
          </div>
          <textarea
            ref={field}
            aria-label={label}
            placeholder={label}
            rows={1}
            value={text}
            disabled={isDisabled}
            autoComplete="off"
            aria-autocomplete="list"
            aria-controls={isOpen ? listId : undefined}
            aria-activedescendant={isOpen ? optionId(listId, chosen) : undefined}
            className={cx(styles.layer, styles.text)}
            onChange={(event) => {
              write(store, { text: event.target.value });
              setCaret(event.target.selectionEnd);
              setCurrent(0);
              onType(event.target.value.trim() === "");
            }}
            onSelect={(event) => {
              const { selectionStart, selectionEnd } = event.currentTarget;
              setCaret(selectionEnd);
              if (selectionStart !== selectionEnd) setDismissedAt(undefined);
            }}
            onBlur={() => setDismissedAt(trigger?.start)}
            onFocus={() => setDismissedAt(undefined)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
        </div>
      </div>
    </>
  );
}

/** Applies a format to what is selected. */
export function applyFormat(element: HTMLTextAreaElement, kind: Format): void {
  replace(element, format(element.value, element.selectionStart, element.selectionEnd, kind));
}

/** A text in place of the selection, with the caret behind it. */
function here(element: HTMLTextAreaElement, text: string): Replacement {
  const { selectionStart: from, selectionEnd: to } = element;
  return { from, to, text, select: [from + text.length, from + text.length] };
}

/** Changes the field as typing would: undo takes it back, and React learns of it by the event. */
function replace(element: HTMLTextAreaElement, { from, to, text, select }: Replacement): void {
  element.focus();
  element.setSelectionRange(from, to);
  // The old command is the only way that keeps the field's own undo.
  if (!document.execCommand(text === "" ? "delete" : "insertText", false, text) && text !== "") {
    element.setRangeText(text, from, to, "end");
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }
  element.setSelectionRange(...select);
}
