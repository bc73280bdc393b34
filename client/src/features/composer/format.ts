/** A part of a text field, and what stands there instead: applied so that undo knows it. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** What is selected afterwards. */
  readonly select: readonly [number, number];
}

export type Format = "bold" | "italic" | "code" | "link" | "list";

const MARKS = { bold: "**", italic: "*", code: "`" } as const;

/** Puts the marks of a format around what is selected, or takes them away if they are there. */
export function format(text: string, from: number, to: number, kind: Format): Replacement {
  const selected = text.slice(from, to);
  switch (kind) {
    case "link": {
      const replaced = `[${selected}](https://)`;
      const address = from + replaced.length - 1;
      return { from, to, text: replaced, select: selected ? [address - 8, address] : [from + 1, from + 1] };
    }
    case "list":
      return asList(text, from, to);
    case "code":
      if (selected.includes("\n")) {
        const replaced = `\`\`\`\n${selected}\n\`\`\``;
        return { from, to, text: replaced, select: [from + 4, from + 4 + selected.length] };
      }
      return wrap(text, from, to, MARKS.code);
    default:
      return wrap(text, from, to, MARKS[kind]);
  }
}

function wrap(text: string, from: number, to: number, mark: string): Replacement {
  const selected = text.slice(from, to);
  const size = mark.length;
  if (text.slice(from - size, from) === mark && text.slice(to, to + size) === mark) {
    return { from: from - size, to: to + size, text: selected, select: [from - size, to - size] };
  }
  return { from, to, text: mark + selected + mark, select: [from + size, to + size] };
}

function asList(text: string, from: number, to: number): Replacement {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const lines = text.slice(start, to).split("\n");
  const isList = lines.every((line) => line.startsWith("- "));
  const replaced = lines.map((line) => (isList ? line.slice(2) : `- ${line}`)).join("\n");
  const end = start + replaced.length;
  return { from: start, to, text: replaced, select: [end, end] };
}
