// @vitest-environment jsdom
import i18next from "i18next";
import { Component, type ReactNode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";
import { forgetFailedTexts, useTranslation } from "./use-translation";

/** The file of a namespace, as the network gives it or not. */
const file = vi.fn<(namespace: string) => Promise<Record<string, string>>>();

beforeAll(async () => {
  await i18next
    .use({
      type: "backend",
      init() {},
      read: (_language: string, namespace: string, done: (error: Error | null, texts: unknown) => void) =>
        void file(namespace).then(
          (texts) => done(null, texts),
          (error: Error) => done(error, false),
        ),
    } as const)
    .init({ lng: "en", fallbackLng: false, ns: [], partialBundledLanguages: true });
});
beforeEach(() => void file.mockReset());

class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError = (error: Error) => ({ error });
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const again = () => {
      forgetFailedTexts();
      this.setState({ error: undefined as never });
    };
    return (
      <button type="button" onClick={again}>
        {error.message}
      </button>
    );
  }
}

function Says({ namespace }: { namespace: string }) {
  const { t } = useTranslation(namespace as "ui");
  return <p>{t("hello" as never)}</p>;
}

function show(namespace: string): HTMLElement {
  const place = document.createElement("div");
  // React hears clicks where it was rendered, in documents only.
  document.body.append(place);
  createRoot(place, { onCaughtError: () => {} }).render(
    <Boundary>
      <Suspense fallback="loading">
        <Says namespace={namespace} />
      </Suspense>
    </Boundary>,
  );
  return place;
}

test("texts that come at the second try are shown", async () => {
  file.mockRejectedValueOnce(new Error("offline")).mockResolvedValue({ hello: "Good morning" });
  const place = show("late");
  await vi.waitFor(() => expect(place.textContent).toBe("Good morning"));
});

test("texts that do not come are an error, never their keys, and are fetched anew for who asks again", async () => {
  file.mockRejectedValue(new Error("offline"));
  const place = show("absent");
  await vi.waitFor(() => expect(place.textContent).toMatch(/texts of absent could not be fetched/));
  file.mockResolvedValue({ hello: "Good evening" });
  place.querySelector("button")?.click();
  await vi.waitFor(() => expect(place.textContent).toBe("Good evening"));
});
