import * as v from "valibot";

// What the administration API answers (docs/admin-api.json), as far as the pages show it.

const text = v.nullish(v.string());
const ts = v.nullish(v.number());
const count = v.nullish(v.number());

/** One page of a list; `next` asks for the one after it. */
export const pageOf = <T extends v.GenericSchema>(item: T) =>
  v.object({ items: v.array(item), next: text, total: count });

export const Server = v.object({
  name: v.string(),
  version: v.string(),
  started_ts: v.number(),
  database: v.string(),
  users: count,
  rooms: count,
  local_media_bytes: count,
  remote_media_bytes: count,
  calls_enabled: v.optional(v.boolean(), false),
  federation_enabled: v.optional(v.boolean(), false),
  directory_enabled: v.optional(v.boolean(), false),
});

export const Health = v.object({
  components: v.array(
    v.object({ name: v.string(), state: v.picklist(["ok", "degraded", "down"]), detail: v.optional(text) }),
  ),
});

export const Series = v.object({
  step_ms: v.number(),
  from_ts: v.nullish(v.number()),
  series: v.array(
    v.object({ name: v.string(), unit: v.optional(v.string(), ""), values: v.array(v.nullable(v.number())) }),
  ),
});

export const User = v.object({
  user_id: v.string(),
  displayname: text,
  avatar_url: text,
  is_administrator: v.boolean(),
  is_locked: v.boolean(),
  is_suspended: v.boolean(),
  is_deactivated: v.boolean(),
  is_guest: v.boolean(),
  source: text,
  created_ts: ts,
  last_seen_ts: ts,
  devices: count,
});
export type User = v.InferOutput<typeof User>;

export const UserDetails = v.object({
  ...User.entries,
  emails: v.optional(v.array(v.string()), []),
  rooms: count,
  media_bytes: count,
  sessions: v.optional(
    v.array(v.object({ device_id: v.string(), display_name: text, last_seen_ts: ts, last_seen_ip: text })),
    [],
  ),
});

export const UserRoom = v.object({ room_id: v.string(), name: text, membership: v.string() });

export const Room = v.object({
  room_id: v.string(),
  name: text,
  canonical_alias: text,
  topic: text,
  avatar_url: text,
  version: text,
  creator: text,
  is_encrypted: v.optional(v.boolean(), false),
  is_public: v.optional(v.boolean(), false),
  is_space: v.optional(v.boolean(), false),
  room_type: text,
  joined_members: count,
  joined_local_members: count,
  join_rule: text,
  is_blocked: v.optional(v.boolean(), false),
});
export type Room = v.InferOutput<typeof Room>;

export const RoomDetails = v.object({
  ...Room.entries,
  servers: v.optional(v.array(v.object({ name: v.string(), members: v.number() })), []),
  events: count,
  state_events: count,
});

export const RoomDeletion = v.object({
  removed: v.optional(v.number(), 0),
  members: v.optional(v.array(v.string()), []),
});

export const Destination = v.object({
  server: v.string(),
  state: v.string(),
  queued_pdus: count,
  queued_edus: count,
  last_success_ts: ts,
  failing_since_ts: ts,
  next_try_ts: ts,
  failure: text,
});
export type Destination = v.InferOutput<typeof Destination>;

export const DestinationTest = v.object({
  ok: v.boolean(),
  elapsed_ms: count,
  detail: text,
  version: text,
});

export const MediaUsage = v.object({
  ...pageOf(v.object({ user_id: v.string(), files: v.number(), bytes: v.number() })).entries,
});

export const MediaFile = v.object({
  server_name: v.string(),
  media_id: v.string(),
  name: text,
  content_type: text,
  bytes: count,
  created_ts: ts,
  last_access_ts: ts,
  uploader: text,
  is_quarantined: v.optional(v.boolean(), false),
});
export type MediaFile = v.InferOutput<typeof MediaFile>;

export const Purged = v.object({ files: v.optional(v.number(), 0), bytes: v.optional(v.number(), 0) });

export const Calls = v.object({
  sfus: v.array(
    v.object({
      name: v.string(),
      region: text,
      url: v.string(),
      is_up: v.boolean(),
      problem: text,
      calls: v.array(
        v.object({
          room_id: v.string(),
          name: text,
          participants: v.array(
            v.object({
              user_id: text,
              device_id: text,
              identity: v.string(),
              joined_ts: ts,
              tracks: v.optional(v.array(v.object({ source: v.string(), muted: v.boolean() })), []),
            }),
          ),
        }),
      ),
    }),
  ),
  tokens: v.number(),
});

export const Report = v.object({
  id: v.union([v.number(), v.string()]),
  reported_ts: v.number(),
  reporter: v.string(),
  room_id: text,
  event_id: text,
  user_id: text,
  reason: text,
  state: v.string(),
});
export type Report = v.InferOutput<typeof Report>;

export const AuditEntry = v.object({
  id: v.union([v.number(), v.string()]),
  at_ts: v.number(),
  administrator: v.string(),
  action: v.string(),
  target: text,
  reason: text,
  details: v.optional(v.unknown()),
});
export type AuditEntry = v.InferOutput<typeof AuditEntry>;

/** What a write answers when nothing of it is shown. */
export const Done = v.optional(v.unknown());
