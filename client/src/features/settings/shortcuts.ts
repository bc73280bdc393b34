/** The keys that work, by where they do. `Mod` is Ctrl, or ⌘ on a Mac. */
export const SHORTCUTS: readonly {
  readonly group: string;
  readonly list: readonly { readonly id: string; readonly keys: readonly (readonly string[])[] }[];
}[] = [
  {
    group: "everywhere",
    list: [{ id: "close", keys: [["Esc"]] }],
  },
  {
    group: "writing",
    list: [
      { id: "send", keys: [["Enter"]] },
      { id: "newLine", keys: [["Shift", "Enter"]] },
    ],
  },
];
