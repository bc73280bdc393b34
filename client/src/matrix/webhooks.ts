import * as v from "valibot";
import type { RoomId } from "./ids";
import { type OwnApi, part } from "./own-api";

const shared = {
  id: v.string(),
  name: v.string(),
  avatar_url: v.nullish(v.string()),
  user_id: v.string(),
  created_by: v.string(),
  enabled: v.boolean(),
  state: v.picklist(["working", "failing", "off"]),
  /** Since when, in milliseconds since the epoch, and why, unless it works. */
  state_since: v.nullish(v.number()),
  state_reason: v.nullish(v.string()),
  post_url: v.optional(v.string()),
  signing_key: v.optional(v.string()),
};

const Incoming = v.object({
  ...shared,
  direction: v.literal("incoming"),
  signed: v.boolean(),
  allow_name_override: v.boolean(),
});

const Outgoing = v.object({
  ...shared,
  direction: v.literal("outgoing"),
  url: v.string(),
  event_types: v.array(v.string()),
  keywords: v.array(v.string()),
  allow_replies: v.boolean(),
});

const Answer = v.variant("direction", [Incoming, Outgoing]);
const List = v.object({ hooks: v.array(Answer) });
const Tested = v.object({ delivered: v.boolean(), failure: v.optional(v.string()) });

/** A way for a program into a room, or out of it. `post_url` and `signing_key` are there once, when they were made. */
export type Webhook = v.InferOutput<typeof Answer>;
export type Direction = Webhook["direction"];

/** What people set of it. An empty `avatar_url` takes the picture away. */
export interface WebhookSettings {
  readonly name: string;
  readonly avatar_url?: string;
  readonly allow_name_override?: boolean;
  readonly url?: string;
  readonly event_types?: readonly string[];
  readonly keywords?: readonly string[];
  readonly allow_replies?: boolean;
}

/** The webhooks of rooms (docs/webhooks.md). */
export class Webhooks {
  constructor(private readonly own: OwnApi) {}

  async list(roomId: RoomId, signal?: AbortSignal): Promise<readonly Webhook[]> {
    return (await this.own.get(List, path(roomId), {}, signal)).hooks;
  }

  /** `isSigned`: the address alone lets nobody write; each request is signed. */
  make(roomId: RoomId, direction: Direction, settings: WebhookSettings, isSigned = false): Promise<Webhook> {
    const body = { direction, ...settings, ...(direction === "incoming" ? { signed: isSigned } : {}) };
    return this.own.send(Answer, "POST", path(roomId), body);
  }

  change(
    roomId: RoomId,
    id: string,
    change: Partial<WebhookSettings> & { enabled?: boolean },
  ): Promise<Webhook> {
    return this.own.send(Answer, "PUT", path(roomId, id), change);
  }

  /** A new address or key; the one before is good for nothing from then on. */
  rotate(roomId: RoomId, id: string): Promise<Webhook> {
    return this.own.send(Answer, "POST", `${path(roomId, id)}/rotate`);
  }

  /** Sends something by it; gives what went wrong. */
  async test(roomId: RoomId, id: string): Promise<string | undefined> {
    const { delivered, failure } = await this.own.send(Tested, "POST", `${path(roomId, id)}/test`);
    return delivered ? undefined : (failure ?? "?");
  }

  async remove(roomId: RoomId, id: string): Promise<void> {
    await this.own.send(v.unknown(), "DELETE", path(roomId, id));
  }
}

const path = (roomId: RoomId, id?: string) =>
  `v1/rooms/${part(roomId)}/hooks${id === undefined ? "" : `/${part(id)}`}`;
