/** A file for an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Names are UTF-8. */
const FLAGS = 0x0800;
const STORED = 0;
const VERSION = 20;

/**
 * An archive of these files without compression (PKWARE APPNOTE, without ZIP64: below 4 GiB and 65,535 files). Exports
 * are read once and then packed by whoever keeps them.
 */
export function zip(entries: readonly ZipEntry[], at: Date): Blob {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  const stamp = dosTime(at);
  for (const { name, data } of entries) {
    const nameBytes = new TextEncoder().encode(name);
    const common = [
      ...[u16(VERSION), u16(FLAGS), u16(STORED), u32(stamp), u32(crc32(data))],
      ...[u32(data.length), u32(data.length), u16(nameBytes.length), u16(0)],
    ];
    const local = bytes([u32(0x04034b50), ...common, nameBytes]);
    parts.push(local, new Uint8Array(data));
    directory.push(
      bytes([
        ...[u32(0x02014b50), u16(VERSION), ...common],
        ...[u16(0), u16(0), u16(0), u32(0), u32(offset), nameBytes],
      ]),
    );
    offset += local.length + data.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = bytes([
    ...[u32(0x06054b50), u16(0), u16(0), u16(entries.length), u16(entries.length)],
    ...[u32(size), u32(offset), u16(0)],
  ]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
}

function bytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Two seconds' precision, years from 1980. */
function dosTime(at: Date): number {
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  const day = ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
  return ((day << 16) | time) >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

export function crc32(data: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of data) value = (value >>> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}
