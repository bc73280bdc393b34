import * as v from "valibot";

// What the administration API answers about programs (docs/admin-api.json).

const text = v.nullish(v.string());
const ts = v.nullish(v.number());

export const AppService = v.object({
  id: v.string(),
  /** Nothing for a service that is told nothing. */
  url: text,
  sender: v.string(),
  lag_positions: v.number(),
  transactions: v.number(),
  last_success_ts: ts,
  failing_since_ts: ts,
  attempts: v.number(),
  last_error: text,
});
export type AppService = v.InferOutput<typeof AppService>;

export const AppServiceList = v.object({ appservices: v.array(AppService) });

export const Reloaded = v.object({ appservices: v.number() });

export const AdminHook = v.object({
  id: v.string(),
  name: v.string(),
  direction: v.picklist(["incoming", "outgoing"]),
  room_id: v.string(),
  room_name: text,
  user_id: v.string(),
  created_by: v.string(),
  created_ts: v.number(),
  state: v.picklist(["working", "failing", "off"]),
  state_since_ts: ts,
  state_reason: text,
});
export type AdminHook = v.InferOutput<typeof AdminHook>;

export const AdminBot = v.object({
  user_id: v.string(),
  displayname: text,
  owner: v.string(),
  created_ts: v.number(),
});
export type AdminBot = v.InferOutput<typeof AdminBot>;
