import { create, type StoreApi, type UseBoundStore } from "zustand";
import type { Answered, Place, Said, SentFile } from "~/matrix/message-content";
import type { Session } from "~/matrix/session";
import { UploadError } from "~/matrix/uploads";
import { canShrink, type Facts, type FileKind, factsOf, kindOf, shrunk } from "./pictures";

/** More at once would be a folder. */
export const FILES_MAX = 20;

/** Why a file is not taken, or did not get there. */
type Trouble = "tooLarge" | "refused" | "unreachable";

export interface Attached {
  readonly id: number;
  readonly file: File;
  readonly kind: FileKind;
  /** A picture of it for its card. */
  readonly previewUrl: string | undefined;
  readonly progress: number;
  readonly status: "uploading" | "ready" | "failed";
  readonly trouble: Trouble | undefined;
  readonly caption: string;
  readonly isSpoiler: boolean;
  readonly canShrink: boolean;
  readonly isShrunk: boolean;
  /** Sent as soon as it is up. */
  readonly isSending: boolean;
  readonly voice: SentFile["voice"];
}

/** The words that go with a file. */
interface Words {
  readonly said: Said | undefined;
  readonly answered: Answered | undefined;
  readonly isEchoed: boolean;
}

const NO_WORDS: Words = { said: undefined, answered: undefined, isEchoed: false };

interface Job {
  readonly abort: AbortController;
  readonly sent?: SentFile;
}

/**
 * The files that are attached in one composer. Each goes up at once, while its message is still being written; sending
 * waits for those that are not there yet, without holding up anything else.
 */
export class Tray {
  readonly store: UseBoundStore<StoreApi<{ files: readonly Attached[] }>> = create(() => ({
    files: [] as readonly Attached[],
  }));
  private readonly jobs = new Map<number, Job>();
  private readonly facts = new Map<number, Facts>();
  private readonly words = new Map<number, Words>();
  private nextId = 1;

  constructor(
    private readonly session: Session,
    private readonly place: Place,
  ) {}

  /** Takes files; gives the names of those that are too large, with the limit. */
  async add(
    files: readonly File[],
    voice?: SentFile["voice"],
  ): Promise<{ tooLarge: readonly string[]; bytesMax: number }> {
    const bytesMax = (await this.session.uploads.bytesMax()) ?? Number.POSITIVE_INFINITY;
    const taken = files
      .filter(({ size }) => size <= bytesMax)
      .map((file) => attachedOf(this.nextId++, file, voice));
    // All stand there at once: looking into a film takes a moment, and nobody should drop the rest again meanwhile.
    this.store.setState(({ files: before }) => ({ files: [...before, ...taken] }));
    const tooLarge = files.filter(({ size }) => size > bytesMax).map(({ name }) => name);
    void this.begin(taken);
    return { tooLarge, bytesMax };
  }

  /** Takes a file out, or stops its way up. */
  remove(id: number): void {
    this.jobs.get(id)?.abort.abort();
    const { previewUrl } = this.find(id) ?? {};
    if (previewUrl) URL.revokeObjectURL(previewUrl);
    for (const known of [this.jobs, this.facts, this.words]) known.delete(id);
    this.store.setState(({ files }) => ({ files: files.filter((file) => file.id !== id) }));
  }

  retry(id: number): void {
    void this.upload(id);
  }

  describe(id: number, change: { caption?: string; isSpoiler?: boolean }): void {
    this.change(id, change);
  }

  /** Smaller, or as it was; what is up already goes up again. */
  shrink(id: number, isShrunk: boolean): void {
    this.jobs.get(id)?.abort.abort();
    this.change(id, { isShrunk });
    void this.upload(id);
  }

  /**
   * Sends all: those that are up now, the others when they are. `said` belongs to the one file, `answered` to the first;
   * `isEchoed`: from a thread, into its channel too.
   */
  send(
    said: Said | undefined,
    answered: Answered | undefined,
    captionOf: (text: string) => Said,
    isEchoed = false,
  ): void {
    const waiting = this.store.getState().files.filter(({ isSending }) => !isSending);
    waiting.forEach(({ id, caption }, index) => {
      this.words.set(id, {
        said: caption.trim() === "" ? (index === 0 ? said : undefined) : captionOf(caption),
        answered: index === 0 ? answered : undefined,
        isEchoed,
      });
      this.change(id, { isSending: true });
    });
    this.sendReady();
  }

  /** One after the other: opening a picture takes much memory. */
  private async begin(taken: readonly Attached[]): Promise<void> {
    for (const { id, file, voice } of taken) {
      const facts = voice ? { durationMs: voice.durationMs } : await factsOf(file);
      if (!this.find(id)) continue;
      this.facts.set(id, facts);
      this.change(id, { canShrink: canShrink(file.type, file.size, facts.size) });
      void this.upload(id);
    }
  }

  private async upload(id: number): Promise<void> {
    const attached = this.find(id);
    if (!attached) return;
    const abort = new AbortController();
    this.jobs.set(id, { abort });
    this.change(id, { status: "uploading", progress: 0, trouble: undefined });
    try {
      const sent = await this.put(attached, abort.signal);
      if (this.jobs.get(id)?.abort !== abort) return;
      this.jobs.set(id, { abort, sent });
      this.change(id, { status: "ready", progress: 1 });
      this.sendReady();
    } catch (error) {
      if (this.jobs.get(id)?.abort !== abort) return;
      const trouble =
        error instanceof UploadError && error.reason !== "cancelled" ? error.reason : "unreachable";
      this.change(id, { status: "failed", trouble });
    }
  }

  private async put(attached: Attached, signal: AbortSignal): Promise<SentFile> {
    const { file, kind, id, voice } = attached;
    const { uploads, rooms } = this.session;
    const isEncrypted = rooms.summaries.peek(this.place.roomId).room?.isEncrypted === true;
    const facts = this.facts.get(id) ?? {};
    const small = attached.isShrunk ? await shrunk(file) : undefined;
    const blob: Blob = small?.blob ?? file;
    const name = small ? renamed(file.name, blob.type) : file.name;
    const size = small?.size ?? facts.size;
    const onProgress = (progress: number) => {
      if (this.jobs.get(id)?.abort.signal === signal) this.change(id, { progress });
    };
    const stored = await uploads.upload(blob, { name, type: blob.type, isEncrypted, onProgress, signal });
    // The server makes small pictures of pictures; not of films, and not of what it cannot read.
    const needsThumbnail = facts.thumbnail && (isEncrypted || kind === "video");
    const thumbnail = needsThumbnail && facts.thumbnail ? facts.thumbnail : undefined;
    const storedThumbnail =
      thumbnail &&
      (await uploads.upload(thumbnail.blob, { name: "", type: thumbnail.blob.type, isEncrypted, signal }));
    return {
      kind,
      name,
      stored,
      isSpoiler: false,
      voice,
      info: {
        mimetype: blob.type || "application/octet-stream",
        size: blob.size,
        ...(size ? { w: size.width, h: size.height } : {}),
        ...(facts.blurhash ? { "xyz.amorgan.blurhash": facts.blurhash } : {}),
        ...(facts.durationMs === undefined ? {} : { duration: facts.durationMs }),
        ...(thumbnail && storedThumbnail
          ? {
              ...("file" in storedThumbnail
                ? { thumbnail_file: storedThumbnail.file }
                : { thumbnail_url: storedThumbnail.url }),
              thumbnail_info: {
                mimetype: thumbnail.blob.type,
                size: thumbnail.blob.size,
                w: thumbnail.size.width,
                h: thumbnail.size.height,
              },
            }
          : {}),
      },
    };
  }

  /** Sends, in order, what is up and is to be sent; one that is not up yet holds up those behind it. */
  private sendReady(): void {
    for (const { id, isSending, isSpoiler, status } of this.store.getState().files) {
      if (!isSending || status === "failed") continue;
      const sent = this.jobs.get(id)?.sent;
      if (!sent) return;
      const { said, answered, isEchoed } = this.words.get(id) ?? NO_WORDS;
      const file = { ...sent, isSpoiler };
      const { roomId, threadId } = this.place;
      this.session.sender.file(this.place, file, said, answered);
      if (isEchoed && threadId) this.session.sender.echoFile(roomId, threadId, file, said);
      this.remove(id);
    }
  }

  private find(id: number): Attached | undefined {
    return this.store.getState().files.find((file) => file.id === id);
  }

  private change(id: number, change: Partial<Attached>): void {
    this.store.setState(({ files }) => ({
      files: files.map((file) => (file.id === id ? { ...file, ...change } : file)),
    }));
  }
}

function attachedOf(id: number, file: File, voice: SentFile["voice"]): Attached {
  const kind = kindOf(file.type);
  return {
    id,
    file,
    kind,
    previewUrl: kind === "image" ? URL.createObjectURL(file) : undefined,
    progress: 0,
    status: "uploading",
    trouble: undefined,
    caption: "",
    isSpoiler: false,
    canShrink: false,
    isShrunk: false,
    isSending: voice !== undefined,
    voice,
  };
}

/** The name with the ending of what the file is now. */
function renamed(name: string, type: string): string {
  const ending = type === "image/webp" ? ".webp" : ".jpg";
  return `${name.replace(/\.[^.]{1,5}$/, "")}${ending}`;
}

/** By session: what is attached goes up with that session's token, and is nobody else's. */
const trays = new WeakMap<Session, Map<string, Tray>>();

/** The tray of a room or thread: files go on up while one looks at another room. */
export function trayOf(session: Session, place: Place): Tray {
  const ofSession = trays.get(session) ?? new Map<string, Tray>();
  trays.set(session, ofSession);
  const key = `${place.roomId}|${place.threadId ?? ""}`;
  const tray = ofSession.get(key) ?? new Tray(session, place);
  ofSession.set(key, tray);
  return tray;
}
