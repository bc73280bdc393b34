import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crc32, zip } from "./zip";

const text = (value: string) => new TextEncoder().encode(value);

test("the check sum is the well-known one", () => expect(crc32(text("123456789"))).toBe(0xcbf43926));

test("another program reads the archive, names with umlauts too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "echorift-zip-"));
  try {
    const archive = zip(
      [
        { name: "account.json", data: text('{"name":"Jürgen"}') },
        { name: "rooms/größe.json", data: text("[]") },
      ],
      new Date(2026, 10, 28, 12, 0, 0),
    );
    const path = join(folder, "export.zip");
    writeFileSync(path, new Uint8Array(await archive.arrayBuffer()));
    const script =
      "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None;" +
      "print('|'.join(z.namelist()), z.read('account.json').decode())";
    const seen = execFileSync("python3", ["-c", script, path], {
      encoding: "utf8",
      env: { PYTHONIOENCODING: "utf8" },
    });
    expect(seen.trim()).toBe('account.json|rooms/größe.json {"name":"Jürgen"}');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
