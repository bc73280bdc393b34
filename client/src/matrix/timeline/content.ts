import type { Attachment, EncryptedFile, MediaSource, MessageBody, VisualAttachment } from "./types";

type Content = Record<string, unknown>;

/** Words of a body shown at most; what is longer belongs in a file. */
const BODY_LENGTH_MAX = 40_000;
const NAME_LENGTH_MAX = 200;
const WAVEFORM_LENGTH_MAX = 64;
const LOUDEST = 1024;
/** 9 by 9 cosines, of which nobody needs more. */
const BLURHASH_LENGTH_MAX = 166;

/** Reads a message's content, which anybody may have written: what does not fit its type falls back to its text. */
export function readBody(type: string, content: Content): MessageBody {
  if (type === "m.sticker") return readVisual("sticker", content) ?? fallback(type, content);
  if (type !== "m.room.message") return fallback(type, content);
  switch (content.msgtype) {
    case "m.text":
      return readText("text", content);
    case "m.notice":
      return readText("notice", content);
    case "m.emote":
      return readText("emote", content);
    case "m.image":
      return readVisual("image", content) ?? readText("text", content);
    case "m.video": {
      const video = readVisual("video", content);
      if (!video) return readText("text", content);
      return { ...video, kind: "video", durationMs: positive(record(content.info).duration) };
    }
    case "m.audio":
      return readAudio(content) ?? readText("text", content);
    case "m.file": {
      const attachment = readAttachment(content);
      return attachment ? { kind: "file", ...attachment } : readText("text", content);
    }
    case "m.location":
      return { kind: "location", body: textOf(content.body), geoUri: textOf(content.geo_uri).slice(0, 200) };
    default:
      return readText("text", content);
  }
}

function readText(tone: "text" | "notice" | "emote", content: Content): MessageBody {
  const isHtml = content.format === "org.matrix.custom.html" && typeof content.formatted_body === "string";
  const body = withoutReplyFallback(textOf(content.body), content);
  return { kind: "text", tone, body, html: isHtml ? textOf(content.formatted_body, 70_000) : undefined };
}

/** Replies of before v1.13 repeat what they answer, line by line behind `> `. */
function withoutReplyFallback(body: string, content: Content): string {
  const isReply = record(record(content["m.relates_to"])["m.in_reply_to"]).event_id !== undefined;
  if (!isReply || !body.startsWith("> <")) return body;
  const lines = body.split("\n");
  const first = lines.findIndex((line) => !line.startsWith("> "));
  return first < 0 ? body : lines.slice(first).join("\n").replace(/^\n/, "");
}

function fallback(type: string, content: Content): MessageBody {
  const extensible = content["m.text"];
  const first: unknown = Array.isArray(extensible) ? record(extensible[0]).body : undefined;
  return {
    kind: "unknown",
    type: type.slice(0, NAME_LENGTH_MAX),
    body: textOf(content.body) || textOf(first),
  };
}

function readAttachment(content: Content): Attachment | undefined {
  const info = record(content.info);
  const source = readSource(content.url, content.file, info.mimetype);
  if (!source) return undefined;
  const body = textOf(content.body);
  const name = oneLine(textOf(content.filename) || body);
  // CS API § Media captions: with another file name, the body is a caption.
  const isCaption = typeof content.filename === "string" && content.filename !== content.body;
  const isHtml = isCaption && content.format === "org.matrix.custom.html";
  return {
    name,
    caption: isCaption ? body : "",
    captionHtml: isHtml && typeof content.formatted_body === "string" ? content.formatted_body : undefined,
    bytes: positive(info.size),
    source,
  };
}

function readVisual<Kind extends "image" | "sticker" | "video">(
  kind: Kind,
  content: Content,
): ({ readonly kind: Kind } & VisualAttachment) | undefined {
  const attachment = readAttachment(content);
  if (!attachment) return undefined;
  const info = record(content.info);
  const thumbnailInfo = record(info.thumbnail_info);
  return {
    kind,
    ...attachment,
    width: positive(info.w),
    height: positive(info.h),
    thumbnail: readSource(info.thumbnail_url, info.thumbnail_file, thumbnailInfo.mimetype),
    blurhash: readBlurhash(info["xyz.amorgan.blurhash"]),
    isSpoiler: content["page.codeberg.everypizza.msc4193.spoiler"] === true || content["m.spoiler"] === true,
  };
}

function readBlurhash(hash: unknown): string | undefined {
  return typeof hash === "string" && hash.length <= BLURHASH_LENGTH_MAX ? hash : undefined;
}

function readAudio(content: Content): MessageBody | undefined {
  const attachment = readAttachment(content);
  if (!attachment) return undefined;
  const details = record(content["org.matrix.msc1767.audio"]);
  return {
    kind: "audio",
    ...attachment,
    durationMs: positive(record(content.info).duration) ?? positive(details.duration),
    isVoice: content["org.matrix.msc3245.voice"] !== undefined || content["m.voice"] !== undefined,
    waveform: readWaveform(details.waveform),
  };
}

function readWaveform(samples: unknown): readonly number[] {
  if (!Array.isArray(samples)) return [];
  const step = Math.max(1, Math.ceil(samples.length / WAVEFORM_LENGTH_MAX));
  return samples
    .filter((_sample, index) => index % step === 0)
    .map((sample) => Math.min(1, Math.max(0, Number(sample) / LOUDEST || 0)));
}

function readSource(url: unknown, file: unknown, mimetype: unknown): MediaSource | undefined {
  const encrypted = readFile(file);
  const mxc = encrypted?.url ?? url;
  if (typeof mxc !== "string" || !/^mxc:\/\/[^/]+\/[^/]+$/.test(mxc)) return undefined;
  return { mxc, file: encrypted, mimetype: oneLine(textOf(mimetype)).toLowerCase() };
}

function readFile(file: unknown): EncryptedFile | undefined {
  const { url, key, iv, hashes } = record(file);
  const { k } = record(key);
  const { sha256 } = record(hashes);
  if (
    typeof url !== "string" ||
    typeof k !== "string" ||
    typeof iv !== "string" ||
    typeof sha256 !== "string"
  ) {
    return undefined;
  }
  return { url, key: { k }, iv, hashes: { sha256 } };
}

/** What stands for a message where there is room for one line. */
export function textOfBody(body: MessageBody): string {
  switch (body.kind) {
    case "text":
    case "location":
    case "unknown":
      return body.body;
    case "image":
    case "sticker":
    case "video":
    case "audio":
    case "file":
      return body.caption || body.name;
    case "poll":
      return body.question;
    default:
      return "";
  }
}

/** The people that a message names; the room as a whole counts too. */
export function readMentions(content: Content): { users: readonly string[]; isRoom: boolean } {
  const { user_ids: users, room } = record(content["m.mentions"]);
  const named = Array.isArray(users) ? users.filter((user): user is string => typeof user === "string") : [];
  return { users: named.slice(0, 50), isRoom: room === true };
}

export function record(value: unknown): Content {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Content) : {};
}

function textOf(value: unknown, lengthMax = BODY_LENGTH_MAX): string {
  return typeof value === "string" ? value.slice(0, lengthMax) : "";
}

/** Names of files: one line, and no marks that turn the direction of reading (a disguise for endings). */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu, "").slice(0, NAME_LENGTH_MAX);
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;
}
