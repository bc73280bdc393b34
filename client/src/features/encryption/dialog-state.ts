import { create } from "zustand";
import { persist } from "zustand/middleware";

export type EncryptionDialog = "verify" | "recoveryKey" | "reset" | "exportKeys" | "importKeys";

export const useEncryptionDialog = create<{ open: EncryptionDialog | undefined }>()(() => ({
  open: undefined,
}));
export const openEncryptionDialog = (open: EncryptionDialog) => useEncryptionDialog.setState({ open });
export const closeEncryptionDialog = () => useEncryptionDialog.setState({ open: undefined });

/** What the line above the main pane may ask for. */
export type Prompt = "verify" | "saveKey" | "createKey";

/** Which lines were put away, by device: they stay so; settings still offer what they ask for. */
export const useDismissed = create<{ dismissed: readonly string[] }>()(
  persist(() => ({ dismissed: [] as readonly string[] }), { name: "echorift.dismissed-prompts" }),
);

export const dismissalOf = (prompt: Prompt, deviceId: string) => `${prompt}:${deviceId}`;

export function dismissPrompt(prompt: Prompt, deviceId: string): void {
  const dismissal = dismissalOf(prompt, deviceId);
  useDismissed.setState(({ dismissed }) => ({
    dismissed: [...dismissed.filter((other) => other !== dismissal), dismissal],
  }));
}
