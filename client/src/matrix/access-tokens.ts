import * as v from "valibot";
import { asUserId, type RoomId, type UserId } from "./ids";
import { type OwnApi, part } from "./own-api";

const optionalTs = v.nullish(v.number());

const Token = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.string()),
  created_at: v.number(),
  expires_at: optionalTs,
  last_used_at: optionalTs,
  last_used_ip: v.nullish(v.string()),
});
const Made = v.object({ ...Token.entries, token: v.string() });
const List = v.object({ tokens: v.array(Token) });
const BotAnswer = v.object({
  user_id: v.pipe(v.string(), v.transform(asUserId)),
  display_name: v.nullish(v.string()),
  created_at: v.number(),
});
const BotList = v.object({ bots: v.array(BotAnswer) });

/** What a program may do with an account, as its owner sees it. Times are milliseconds since the epoch. */
export type AccessToken = v.InferOutput<typeof Token>;
/** An account that acts by tokens alone. */
export type Bot = v.InferOutput<typeof BotAnswer>;

/** The classes of requests that a token opens (docs/bots.md § Tokens). */
export const SCOPES = ["read", "send", "manage", "account", "directory", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** These open more than rooms: a token that has one cannot be kept to some rooms. */
const BEYOND_ROOMS: readonly Scope[] = ["account", "directory", "admin"];

/** These are of use to administrators alone. */
const OF_ADMINISTRATORS: readonly Scope[] = ["directory", "admin"];

export const isOfAdministrators = (scope: Scope): boolean => OF_ADMINISTRATORS.includes(scope);

export const isBeyondRooms = (scopes: readonly Scope[]): boolean =>
  scopes.some((scope) => BEYOND_ROOMS.includes(scope));

interface TokenRequest {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Only these rooms; all of them if there are none. */
  readonly rooms: readonly RoomId[];
  readonly expiresTs: number | undefined;
}

const ROOM = "rooms:";

/** The scopes of a token apart: the classes of requests, and the rooms to which it is kept. */
export function readScopes(names: readonly string[]): { scopes: readonly Scope[]; rooms: readonly string[] } {
  return {
    scopes: SCOPES.filter((scope) => names.includes(scope)),
    rooms: names.filter((name) => name.startsWith(ROOM)).map((name) => name.slice(ROOM.length)),
  };
}

/** How scopes are asked for. Rooms are left out where the token reaches beyond rooms. */
export function namesOf({ scopes, rooms }: Pick<TokenRequest, "scopes" | "rooms">): readonly string[] {
  const kept = isBeyondRooms(scopes) ? [] : rooms;
  return [...scopes, ...kept.map((id) => `${ROOM}${id}`)];
}

/** Access tokens for programs, of this account and of its bots, and the bots themselves (docs/bots.md). */
export class AccessTokens {
  constructor(private readonly own: OwnApi) {}

  async list(bot: UserId | undefined, signal?: AbortSignal): Promise<readonly AccessToken[]> {
    return (await this.own.get(List, tokensOf(bot), {}, signal)).tokens;
  }

  /** Gives the token, which is shown this once. */
  async make(bot: UserId | undefined, { name, expiresTs, ...scopes }: TokenRequest): Promise<string> {
    const body = {
      name,
      scopes: namesOf(scopes),
      ...(expiresTs === undefined ? {} : { expires_at: expiresTs }),
    };
    return (await this.own.send(Made, "POST", tokensOf(bot), body)).token;
  }

  async revoke(bot: UserId | undefined, id: string): Promise<void> {
    await this.own.send(v.unknown(), "DELETE", `${tokensOf(bot)}/${part(id)}`);
  }

  async bots(signal?: AbortSignal): Promise<readonly Bot[]> {
    return (await this.own.get(BotList, "v1/bots", {}, signal)).bots;
  }

  makeBot(localpart: string, displayName: string): Promise<Bot> {
    const body = { localpart, ...(displayName ? { display_name: displayName } : {}) };
    return this.own.send(BotAnswer, "POST", "v1/bots", body);
  }

  /** For good: it leaves its rooms, and its name is never given out again. */
  async endBot(bot: UserId): Promise<void> {
    await this.own.send(v.unknown(), "DELETE", `v1/bots/${part(bot)}`);
  }
}

const tokensOf = (bot: UserId | undefined) =>
  bot === undefined ? "v1/tokens" : `v1/bots/${part(bot)}/tokens`;
