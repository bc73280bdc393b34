import * as v from "valibot";

// What the administration API answers about the company's directory (docs/admin-api.json).

const text = v.nullish(v.string());
const ts = v.nullish(v.number());
const texts = v.fallback(v.optional(v.array(v.string()), []), []);

const SyncRun = v.object({
  started_ts: v.number(),
  ended_ts: v.number(),
  outcome: v.picklist(["done", "failed", "stopped"]),
  reason: text,
  /** If it was stopped: how many people it would lock, and how many it may. */
  locks: v.nullish(v.number()),
  locks_max: v.nullish(v.number()),
  people: v.number(),
  groups: v.number(),
  created: v.number(),
  updated: v.number(),
  locked: v.number(),
  unlocked: v.number(),
  troubles: v.number(),
});

export const Sync = v.object({
  is_running: v.boolean(),
  is_told: v.boolean(),
  is_approved: v.boolean(),
  last_done_ts: ts,
  last: v.nullish(SyncRun),
  /** Where another process reads the directory: what was heard of it. */
  feed: v.nullish(v.object({ is_connected: v.boolean(), last_heard_ts: ts })),
});
export type Sync = v.InferOutput<typeof Sync>;

const answers = { last_answer_ts: ts, last_failure_ts: ts, last_failure: text };

const Stop = v.object({ room: text, removals: v.number(), mirrored: v.number() });
export type Stop = v.InferOutput<typeof Stop>;

const Groups = v.object({
  ended_ts: ts,
  done: v.number(),
  not_possible: v.number(),
  drift: v.number(),
  stops: v.array(Stop),
  failures: texts,
});
export type Groups = v.InferOutput<typeof Groups>;

/** Absent where the domain's people, or its groups, are not mirrored. */
const mirrored = { sync: v.nullish(Sync), groups: v.nullish(Groups) };

const Domain = v.object({ name: v.string(), urls: texts, base_dn: v.string(), ...answers, ...mirrored });
export type Domain = v.InferOutput<typeof Domain>;

const On = v.object({
  enabled: v.literal(true),
  urls: texts,
  start_tls: v.boolean(),
  base_dn: v.string(),
  user_filter: v.string(),
  login_group: v.string(),
  admin_group: v.string(),
  ...answers,
  domains: v.optional(v.array(Domain), []),
  ...mirrored,
});
export type DirectoryOn = v.InferOutput<typeof On>;

export const Directory = v.variant("enabled", [On, v.object({ enabled: v.literal(false) })]);

export const Plan = v.object({
  changes: v.array(v.string()),
  total: v.number(),
  locks: v.number(),
  locks_max: v.number(),
  troubles: v.array(v.object({ who: v.string(), what: v.string() })),
  rooms: v.nullish(
    v.object({
      changes: v.array(v.object({ kind: v.string(), room: text, sentence: v.string() })),
      total: v.number(),
      stops: v.array(Stop),
      without_account: v.number(),
    }),
  ),
});
export type Plan = v.InferOutput<typeof Plan>;

export const Drift = v.object({
  items: v.array(v.object({ kind: v.string(), user_id: v.string(), room: text, sentence: v.string() })),
  total: v.number(),
});
export type Drift = v.InferOutput<typeof Drift>;
