// Lays the emoji's names beside the client, so that no page asks a foreign server for them: what the picker reads, and a
// small list for completing `:names:`.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LANGUAGES = ["en", "de"];
const source = new URL("../node_modules/emojibase-data/", import.meta.url).pathname;
const target = new URL("../public/emoji/", import.meta.url).pathname;

const read = (...path) => JSON.parse(readFileSync(join(source, ...path), "utf8"));

/** Writes `public/emoji/`, unless it is there for this version of the data. */
export function layEmoji() {
  const { version } = read("package.json");
  const stamp = join(target, "version.json");
  if (existsSync(stamp) && JSON.parse(readFileSync(stamp, "utf8")) === version) return;
  // The names that people know from elsewhere come first.
  const shortcodes = ["github", "emojibase"].map((set) => read("en", "shortcodes", `${set}.json`));
  for (const language of LANGUAGES) {
    mkdirSync(join(target, language), { recursive: true });
    const data = read(language, "data.json");
    const write = (name, value) => writeFileSync(join(target, language, name), JSON.stringify(value));
    write("data.json", data);
    write("messages.json", read(language, "messages.json"));
    write(
      "names.json",
      data
        // Regional letters have no group: they are parts of flags.
        .filter(({ group }) => group !== undefined)
        .map(({ emoji, hexcode, label, tags = [] }) => {
          const codes = [...new Set(shortcodes.flatMap((set) => set[hexcode] ?? []))];
          return [emoji, codes[0] ?? label.replaceAll(" ", "_"), label, [...codes.slice(1), ...tags]];
        }),
    );
  }
  writeFileSync(stamp, JSON.stringify(version));
}
