import { useEffect } from "react";

// What has the focus may go away under it: a row that is deleted, a button that becomes another, a page that ends with the call. The
// browser then gives the focus to nobody, and whoever uses the keyboard begins at the top of the page again.

/** As many windows over each other are remembered as anybody opens: the way back leads to what opened each, or near it. */
const REMEMBERED_MAX = 8;
/** For how many frames something that is hidden is waited for: a page whose words are fetched in another language, for example. */
const HIDDEN_FRAMES_MAX = 90;
const TABBABLE =
  "a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), summary, [tabindex]";
/** Windows and lists over all others, which give the focus back by themselves. */
const OVERLAY = '[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]';

/** Where an element stood when it was removed. */
interface Place {
  parent: Node;
  previous: Node | null;
  next: Node | null;
}

/** Keeps the focus of whoever uses the keyboard near to where it was, when what had it is gone or can no longer have it. */
export function useKeptFocus(): void {
  useEffect(keepFocus, []);
}

/** Begins to keep it; gives the way to stop. */
export function keepFocus(): () => void {
  /** What had the focus last in each window that is open, and in the page behind them; the last first. */
  let remembered: { element: HTMLElement; overlay: Element | null }[] = [];
  const places = new WeakMap<Node, Place>();
  let isByKeyboard = false;
  let waiting = 0;
  /** The focus is on its way from one place to another, or out of the page: what goes now goes because of that. */
  let isMoving = false;

  function move() {
    isMoving = true;
    requestAnimationFrame(() => {
      isMoving = false;
    });
  }

  function onInput(event: Event) {
    isByKeyboard = event instanceof KeyboardEvent;
    if (event instanceof KeyboardEvent && event.key === "Tab") move();
  }

  function onLeave({ relatedTarget }: FocusEvent) {
    if (relatedTarget) move();
  }

  function onFocus({ target }: FocusEvent) {
    isMoving = false;
    if (!(target instanceof HTMLElement) || target === document.body) return;
    const overlay = target.closest(OVERLAY);
    const others = remembered.filter((one) => one.overlay !== overlay && (one.overlay?.isConnected ?? true));
    remembered = [{ element: target, overlay }, ...others].slice(0, REMEMBERED_MAX);
  }

  function onChange(records: readonly MutationRecord[]) {
    for (const { type, target, removedNodes, previousSibling, nextSibling } of records) {
      if (type !== "childList") continue;
      for (const node of removedNodes) {
        if (remembered.some(({ element }) => node.contains(element)))
          places.set(node, { parent: target, previous: previousSibling, next: nextSibling });
      }
    }
    const [last] = remembered;
    if (!last || isMoving || !isNowhere() || canHaveFocus(last.element)) return;
    // Within a window that stays, at once: it would send the focus to its beginning. Windows that close say themselves where to,
    // and a button that can be pressed no more is let go by the browser a frame later.
    const isAtOnce = !last.element.isConnected && (last.overlay?.isConnected ?? true);
    if (isAtOnce) settle(HIDDEN_FRAMES_MAX);
    else {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => {
        waiting = requestAnimationFrame(() => settle(HIDDEN_FRAMES_MAX));
      });
    }
  }

  function settle(framesLeft: number) {
    if (!isByKeyboard || isMoving || !isNowhere()) return;
    // What stands beside a window that closed has nothing to do with what stood in it.
    const possible = remembered.filter(({ overlay }) => overlay?.isConnected ?? true);
    const [first] = possible;
    if (first && framesLeft > 0 && isHidden(first.element)) {
      waiting = requestAnimationFrame(() => settle(framesLeft - 1));
      return;
    }
    for (const { element } of possible) {
      const target = canHaveFocus(element) ? element : neighbourOf(element, places);
      if (!target) continue;
      // What is read stays where it is.
      target.focus({ preventScroll: true });
      if (!isNowhere()) return;
    }
  }

  const observer = new MutationObserver(onChange);
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled"],
  });
  const options = { capture: true };
  document.addEventListener("focusin", onFocus, options);
  document.addEventListener("focusout", onLeave, options);
  document.addEventListener("keydown", onInput, options);
  document.addEventListener("pointerdown", onInput, options);
  document.addEventListener("wheel", onInput, { capture: true, passive: true });
  return () => {
    observer.disconnect();
    cancelAnimationFrame(waiting);
    document.removeEventListener("focusin", onFocus, options);
    document.removeEventListener("focusout", onLeave, options);
    document.removeEventListener("keydown", onInput, options);
    document.removeEventListener("pointerdown", onInput, options);
    document.removeEventListener("wheel", onInput, options);
  };
}

/** A button that was disabled a moment ago is still called the active element. */
const isNowhere = () =>
  document.activeElement === null ||
  document.activeElement === document.body ||
  document.activeElement.matches(":disabled");

/** What stands where this element stood or, if it is there but can have the focus no more, what stands next to it. */
function neighbourOf(element: Element, places: WeakMap<Node, Place>): HTMLElement | undefined {
  let node: Node | null = element;
  while (node && !node.isConnected) {
    const place: Place | undefined = places.get(node);
    // Rows of a log go because somebody scrolls: the log has the focus then, and its arrows lead on.
    const log = place?.parent instanceof Element ? place.parent.closest<HTMLElement>('[role="log"]') : null;
    if (log?.isConnected) return log;
    if (place) {
      const found = place.parent.isConnected ? besides(node, element, place) : undefined;
      if (found) return found;
      node = place.parent;
    } else node = node.parentNode;
  }
  return node instanceof Element ? nearestTo(node) : undefined;
}

/** The same control of the row that took this one's place, of the one before it, or any control of theirs. */
function besides(gone: Node, element: Element, { parent, previous, next }: Place): HTMLElement | undefined {
  const index = gone instanceof Element ? [gone, ...gone.querySelectorAll(TABBABLE)].indexOf(element) : -1;
  const like = (sibling: Element) =>
    gone instanceof Element && sibling.tagName === gone.tagName && sibling.className === gone.className
      ? [sibling, ...sibling.querySelectorAll(TABBABLE)][index]
      : undefined;
  const from = previous?.parentNode === parent ? previous.nextSibling : null;
  const first = previous === null ? parent.firstChild : (from ?? (next?.parentNode === parent ? next : null));
  for (let sibling = first; sibling; sibling = sibling.nextSibling) {
    if (!(sibling instanceof Element)) continue;
    const same = like(sibling);
    const found = same && isReachable(same) ? same : reachableIn(sibling)[0];
    if (found) return found;
  }
  const last = first ? first.previousSibling : parent.lastChild;
  for (let sibling = last; sibling; sibling = sibling.previousSibling) {
    if (!(sibling instanceof Element)) continue;
    const same = like(sibling);
    const found = same && isReachable(same) ? same : reachableIn(sibling).at(-1);
    if (found) return found;
  }
  return undefined;
}

/** The control before this place, or else after it, in the smallest part of the window that has one. */
function nearestTo(node: Element): HTMLElement | undefined {
  for (let part: Element | null = node; part && part !== document.body; part = part.parentElement) {
    const reachable = reachableIn(part).filter((one) => one !== node);
    const before = reachable.filter(
      (one) => node.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING,
    );
    const found = before.at(-1) ?? reachable[0];
    if (found) return found;
    if (part.matches('[role="dialog"], [role="alertdialog"]') && part instanceof HTMLElement) return part;
  }
  return undefined;
}

/** What Tab reaches in this element, itself included. */
function reachableIn(element: Element): HTMLElement[] {
  return [element, ...element.querySelectorAll(TABBABLE)].filter(isReachable);
}

function isReachable(element: Element): element is HTMLElement {
  return (
    element instanceof HTMLElement &&
    element.tabIndex >= 0 &&
    element.matches(TABBABLE) &&
    canHaveFocus(element)
  );
}

function isHidden(element: Element): boolean {
  return element.isConnected && !element.matches(":disabled") && !canHaveFocus(element);
}

function canHaveFocus(element: Element): boolean {
  return (
    element.isConnected &&
    !element.matches(":disabled") &&
    element.closest("[inert], [aria-hidden='true']") === null &&
    (element.checkVisibility?.({ visibilityProperty: true }) ?? true)
  );
}
