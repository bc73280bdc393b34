/** The commands that the composer knows, as they are typed; each has its words in the texts under `command.<name>`. */
export const COMMANDS = [
  "me",
  "shrug",
  "spoiler",
  "plain",
  "topic",
  "invite",
  "kick",
  "ban",
  "unban",
  "nick",
  "join",
  "leave",
  "help",
] as const;
type CommandName = (typeof COMMANDS)[number];

export type Command =
  | {
      readonly kind: "say";
      readonly text: string;
      readonly msgtype: "m.text" | "m.emote";
      readonly isPlain: boolean;
    }
  | { readonly kind: "topic" | "nick" | "join"; readonly text: string }
  | { readonly kind: "invite" | "kick" | "ban" | "unban"; readonly userId: string; readonly reason: string }
  | { readonly kind: "leave" | "help" }
  /** Known, but without what it needs. */
  | { readonly kind: "incomplete"; readonly name: CommandName }
  | { readonly kind: "unknown"; readonly name: string };

/** What a text means: something said, or a command. `//` says a text that begins with a slash. */
export function parseCommand(text: string): Command {
  if (text.startsWith("//")) return say(text.slice(1));
  const found = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text);
  // A path or a lone slash is no command.
  if (!found) return say(text);
  const name = (found[1] ?? "").toLowerCase();
  const rest = (found[2] ?? "").trim();
  if (!isCommand(name)) return { kind: "unknown", name };
  switch (name) {
    case "me":
      return rest ? { ...say(rest), msgtype: "m.emote" } : { kind: "incomplete", name };
    case "shrug":
      return { ...say(`${rest} ¯\\_(ツ)_/¯`.trim()), isPlain: true };
    case "spoiler":
      return rest ? say(`||${rest}||`) : { kind: "incomplete", name };
    case "plain":
      return rest ? { ...say(rest), isPlain: true } : { kind: "incomplete", name };
    case "topic":
      return { kind: "topic", text: rest };
    case "nick":
    case "join":
      return rest ? { kind: name, text: rest } : { kind: "incomplete", name };
    case "leave":
    case "help":
      return { kind: name };
    default: {
      const [, userId, reason = ""] = /^(@[^\s:]+:\S+)(?:\s+([\s\S]*))?$/.exec(rest) ?? [];
      return userId ? { kind: name, userId, reason } : { kind: "incomplete", name };
    }
  }
}

const isCommand = (name: string): name is CommandName => COMMANDS.some((known) => known === name);

const say = (text: string) =>
  ({ kind: "say", text, msgtype: "m.text", isPlain: false }) as const satisfies Command;
