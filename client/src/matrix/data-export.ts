import { Direction, type MatrixEvent, Method } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { type ExportedMessage, type ExportedRoom, fileNameFor, roomAsHtml } from "./export-text";
import type { RoomId } from "./ids";
import { patiently } from "./patience";
import type { Rooms } from "./rooms";
import { type ZipEntry, zip } from "./zip";

/** Events of a page of history. */
const PAGE = 200;
/** A bound for one room, so that a browser's memory holds it. */
const MESSAGES_MAX = 200_000;

export type ExportFormat = "json" | "html";
export interface ExportProgress {
  readonly messages: number;
  readonly rooms: number;
}
export interface ExportedFile {
  readonly name: string;
  readonly data: Blob;
}

/** One's own data as files, made here: nothing is stored at the server for it. */
export class DataExport {
  constructor(
    private readonly context: SessionContext,
    private readonly rooms: Rooms,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Profile, rooms, account data, push rules and sessions. */
  async account(): Promise<ExportedFile> {
    const facts = JSON.stringify(await this.accountFacts(), undefined, 2);
    return { name: `account-${this.today()}.json`, data: new Blob([facts], { type: "application/json" }) };
  }

  /** The messages of a room, as far back as this account may read. */
  async room(
    roomId: RoomId,
    format: ExportFormat,
    language: string,
    onProgress: (progress: ExportProgress) => void,
    signal: AbortSignal,
  ): Promise<ExportedFile> {
    const room = await this.readRoom(roomId, (messages) => onProgress({ messages, rooms: 0 }), signal);
    const name = `${fileNameFor(room.name, roomId)}.${format}`;
    return format === "json"
      ? { name, data: new Blob([JSON.stringify(room, undefined, 2)], { type: "application/json" }) }
      : { name, data: new Blob([roomAsHtml(room, language)], { type: "text/html" }) };
  }

  /** Everything in an archive: the account, and each joined room as JSON. */
  async everything(
    onProgress: (progress: ExportProgress) => void,
    signal: AbortSignal,
  ): Promise<ExportedFile> {
    const entries: ZipEntry[] = [{ name: "account.json", data: json(await this.accountFacts()) }];
    let [messages, rooms] = [0, 0];
    for (const roomId of this.rooms.lists.peek("joined")) {
      if (this.rooms.summary(roomId)?.kind === "space") continue;
      const before = messages;
      const room = await this.readRoom(
        roomId,
        (count) => {
          messages = before + count;
          onProgress({ messages, rooms });
        },
        signal,
      );
      rooms += 1;
      onProgress({ messages, rooms });
      entries.push({ name: `rooms/${fileNameFor(room.name, roomId)}.json`, data: json(room) });
    }
    return { name: `echorift-${this.today()}.zip`, data: zip(entries, this.now()) };
  }

  private today(): string {
    return this.now().toISOString().slice(0, 10);
  }

  private async accountFacts(): Promise<Record<string, unknown>> {
    const { client } = this.context;
    const userId = client.getSafeUserId();
    const ask = (path: string) => client.http.authedRequest(Method.Get, path);
    const [profile, devices, pushRules] = await Promise.all([
      ask(`/profile/${encodeURIComponent(userId)}`),
      ask("/devices"),
      ask("/pushrules/"),
    ]);
    const accountData = Object.fromEntries(
      [...client.store.accountData].map(([type, event]: [string, MatrixEvent]) => [type, event.getContent()]),
    );
    const rooms = client.getRooms().map((room) => ({
      room_id: room.roomId,
      name: room.name,
      membership: room.getMyMembership(),
      is_encrypted: room.hasEncryptionStateEvent(),
      joined_members: room.getJoinedMemberCount(),
    }));
    const exported = this.now().toISOString();
    return {
      user_id: userId,
      exported,
      profile,
      devices,
      rooms,
      account_data: accountData,
      push_rules: pushRules,
    };
  }

  private async readRoom(
    roomId: RoomId,
    onCount: (messages: number) => void,
    signal: AbortSignal,
  ): Promise<ExportedRoom> {
    const { client } = this.context;
    const toEvent = client.getEventMapper({ preventReEmit: true, decrypt: false });
    const messages: ExportedMessage[] = [];
    let from: string | null = null;
    do {
      const start: string | null = from;
      const page: Awaited<ReturnType<typeof client.createMessagesRequest>> = await patiently(
        () => client.createMessagesRequest(roomId, start, PAGE, Direction.Backward),
        signal,
      );
      signal.throwIfAborted();
      for (const raw of page.chunk) {
        if ("state_key" in raw) continue;
        const event = toEvent(raw);
        if (event.isEncrypted()) await client.decryptEventIfNeeded(event);
        messages.push(this.describe(event));
      }
      onCount(messages.length);
      from = page.end && page.end !== start && messages.length < MESSAGES_MAX ? page.end : null;
    } while (from !== null);
    return {
      room_id: roomId,
      name: this.rooms.summary(roomId)?.name ?? roomId,
      exported: this.now().toISOString(),
      messages: messages.reverse(),
    };
  }

  private describe(event: MatrixEvent): ExportedMessage {
    const sender = event.getSender() ?? "";
    const isUndecryptable = event.isDecryptionFailure();
    return {
      event_id: event.getId() ?? "",
      type: event.getType(),
      sender,
      sender_name:
        this.context.client.getRoom(event.getRoomId())?.getMember(sender)?.rawDisplayName ?? sender,
      sent: new Date(event.getTs()).toISOString(),
      content: isUndecryptable ? {} : event.getContent(),
      ...(isUndecryptable ? { is_undecryptable: true } : {}),
    };
  }
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, undefined, 2));
