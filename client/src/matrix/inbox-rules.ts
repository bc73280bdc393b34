import * as v from "valibot";

/** One line of the server's list of notifications (CS API § Listing notifications). */
const Notification = v.object({
  room_id: v.string(),
  ts: v.number(),
  read: v.optional(v.boolean(), false),
  actions: v.optional(v.array(v.unknown()), []),
  event: v.object({
    event_id: v.string(),
    sender: v.string(),
    type: v.string(),
    content: v.record(v.string(), v.unknown()),
  }),
});
type ServerNotification = v.InferOutput<typeof Notification>;

/** Those that are understood; others are left out rather than failing the list. */
export function readNotifications(answer: unknown): readonly ServerNotification[] {
  const list = v.safeParse(v.object({ notifications: v.array(v.unknown()) }), answer);
  if (!list.success) return [];
  return list.output.notifications.flatMap((entry) => {
    const parsed = v.safeParse(Notification, entry);
    return parsed.success ? [parsed.output] : [];
  });
}

const NextPage = v.object({ next_token: v.optional(v.string()) });

/**
 * Asks for page after page until there are enough of those that are wanted. A page may be short or empty and yet have another
 * behind it: the server looks through so many events for each, whatever it finds.
 */
export async function collect(
  ask: (from: string | undefined) => Promise<unknown>,
  isWanted: (notification: ServerNotification) => boolean,
  { enough, pagesMax }: { enough: number; pagesMax: number },
): Promise<readonly ServerNotification[]> {
  const found: ServerNotification[] = [];
  let from: string | undefined;
  for (let page = 0; page < pagesMax && found.length < enough; page++) {
    const answer = await ask(from);
    found.push(...readNotifications(answer).filter(isWanted));
    const next = v.safeParse(NextPage, answer);
    from = next.success ? next.output.next_token : undefined;
    if (from === undefined) break;
  }
  return found.slice(0, enough);
}

/** Why a message is in the inbox; `undefined` if it is only new. */
export function reasonOf(notification: ServerNotification): "mention" | "thread" | undefined {
  const highlights = notification.actions.some(
    (action) =>
      typeof action === "object" &&
      action !== null &&
      "set_tweak" in action &&
      action.set_tweak === "highlight" &&
      !("value" in action && action.value === false),
  );
  if (highlights) return "mention";
  return threadOf(notification) === undefined ? undefined : "thread";
}

/** The thread that a message is in. */
export function threadOf({ event }: ServerNotification): string | undefined {
  const relation = event.content["m.relates_to"];
  if (typeof relation !== "object" || relation === null) return undefined;
  const { rel_type, event_id } = relation as { rel_type?: unknown; event_id?: unknown };
  return rel_type === "m.thread" && typeof event_id === "string" ? event_id : undefined;
}

/** What this person is done with. */
export interface Done {
  readonly ids: readonly string[];
  /** Everything up to this moment, ms since the epoch. */
  readonly untilTs: number;
}

/** Single ones that are remembered; older ones fall out of the server's list long before. */
const DONE_MAX = 200;

export function readDone(content: unknown): Done {
  const parsed = v.safeParse(v.object({ ids: v.array(v.string()), until_ts: v.number() }), content);
  return parsed.success
    ? { ids: parsed.output.ids, untilTs: parsed.output.until_ts }
    : { ids: [], untilTs: 0 };
}

export function addDone(done: Done, id: string): Done {
  return { ...done, ids: [...done.ids.filter((other) => other !== id), id].slice(-DONE_MAX) };
}

export const isDone = (done: Done, id: string, ts: number): boolean =>
  ts <= done.untilTs || done.ids.includes(id);
