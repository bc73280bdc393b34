import { useShortcut } from "~/hooks/shortcuts";

const FOCUSABLE = "a[href], button:not([disabled]), input, textarea, select, [tabindex]";

/** F6 and Shift+F6 go from one part of the window to the next: everything with `data-region`, in the document's order. */
export function useRegions(): void {
  useShortcut("nextRegion", () => go(1));
  useShortcut("previousRegion", () => go(-1));
}

function go(by: -1 | 1): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
    (region) => region.getClientRects().length > 0,
  );
  const current = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(current + by + regions.length) % regions.length];
  const target = current < 0 && by < 0 ? regions.at(-1) : next;
  const first = target && [...target.querySelectorAll<HTMLElement>(FOCUSABLE)].find(isReachable);
  (first ?? target)?.focus();
}

const isReachable = (element: HTMLElement) => element.tabIndex >= 0 && element.getClientRects().length > 0;
