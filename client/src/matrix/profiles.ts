import { ClientPrefix, Method } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { asRoomId, asUserId, type RoomId, type UserId } from "./ids";

const optionalText = v.fallback(v.optional(v.string()), undefined);

/** Fields beyond name and picture have names of ours, or of the specification (CS API § Profiles). */
const Answer = v.object({
  displayname: optionalText,
  avatar_url: optionalText,
  "m.tz": optionalText,
  "org.echorift.title": optionalText,
  "org.echorift.department": optionalText,
  "org.echorift.manager": optionalText,
  "org.echorift.phone": optionalText,
});

export interface Profile {
  readonly name: string | undefined;
  readonly avatarMxc: string | undefined;
  readonly title: string | undefined;
  readonly department: string | undefined;
  /** As it is written in the company: for people to read, and for `phoneAddress` to call. */
  readonly phone: string | undefined;
  /** Who leads them, as the directory says. */
  readonly manager: UserId | undefined;
  /** A name of the IANA time zone database. */
  readonly timeZone: string | undefined;
}

const FIELDS = {
  name: "displayname",
  title: "org.echorift.title",
  department: "org.echorift.department",
  timeZone: "m.tz",
} as const;

const Mutual = v.object({ joined: v.array(v.string()), next_batch: v.optional(v.string()) });
/** Pages of shared rooms that are asked for: a card lists a few. */
const MUTUAL_PAGES_MAX = 5;

/** Which fields people may change themselves; the others come from the company's directory. */
export interface ProfileRights {
  readonly name: boolean;
  readonly avatar: boolean;
  readonly title: boolean;
  readonly department: boolean;
  readonly timeZone: boolean;
}

const MayChange = v.fallback(v.object({ enabled: v.fallback(v.boolean(), true) }), { enabled: true });
const texts = v.fallback(v.optional(v.array(v.string())), undefined);
/** What a server does not say is allowed (CS API § Capabilities negotiation). */
const Capabilities = v.object({
  "m.set_displayname": MayChange,
  "m.set_avatar_url": MayChange,
  "m.profile_fields": v.fallback(
    v.object({ enabled: v.fallback(v.boolean(), true), allowed: texts, disallowed: texts }),
    { enabled: true, allowed: undefined, disallowed: undefined },
  ),
});

/** Profiles as the server tells them, asked for when they are looked at. */
export class Profiles {
  constructor(private readonly context: SessionContext) {}

  async load(userId: UserId): Promise<Profile> {
    const path = `/profile/${encodeURIComponent(userId)}`;
    const answer = v.parse(Answer, await this.context.client.http.authedRequest(Method.Get, path));
    return {
      name: answer.displayname,
      avatarMxc: answer.avatar_url,
      title: answer["org.echorift.title"],
      department: answer["org.echorift.department"],
      phone: answer["org.echorift.phone"],
      manager: userIdIn(answer["org.echorift.manager"]),
      timeZone: answer["m.tz"],
    };
  }

  async rights(): Promise<ProfileRights> {
    const capabilities = v.parse(Capabilities, await this.context.client.getCapabilities());
    const { enabled, allowed, disallowed } = capabilities["m.profile_fields"];
    const isField = (name: string) =>
      enabled && (allowed ? allowed.includes(name) : !disallowed?.includes(name));
    return {
      name: capabilities["m.set_displayname"].enabled && isField("displayname"),
      avatar: capabilities["m.set_avatar_url"].enabled && isField("avatar_url"),
      title: isField(FIELDS.title),
      department: isField(FIELDS.department),
      timeZone: isField(FIELDS.timeZone),
    };
  }

  /** The rooms that both are in (CS API § Mutual rooms). */
  async sharedRooms(userId: UserId): Promise<readonly RoomId[]> {
    const rooms: RoomId[] = [];
    let from: string | undefined;
    for (let page = 0; page < MUTUAL_PAGES_MAX; page++) {
      const answer: v.InferOutput<typeof Mutual> = v.parse(
        Mutual,
        await this.context.client.http.authedRequest(
          Method.Get,
          "/mutual_rooms",
          { user_id: userId, ...(from ? { from } : {}) },
          undefined,
          { prefix: ClientPrefix.V1 },
        ),
      );
      rooms.push(...answer.joined.map(asRoomId));
      from = answer.next_batch;
      if (!from) break;
    }
    return rooms;
  }

  /** Changes a field of one's own profile; an empty text removes it. */
  async set(field: keyof typeof FIELDS, value: string): Promise<void> {
    const { client } = this.context;
    const name = FIELDS[field];
    const path = `/profile/${encodeURIComponent(client.getSafeUserId())}/${name}`;
    if (value === "" && field !== "name") await client.http.authedRequest(Method.Delete, path);
    else await client.http.authedRequest(Method.Put, path, undefined, { [name]: value });
  }

  /** Uploads a picture and shows it as one's own; `undefined` removes it. */
  async setAvatar(picture: File | undefined): Promise<void> {
    const { client } = this.context;
    const address = picture ? (await client.uploadContent(picture)).content_uri : "";
    await client.setAvatarUrl(address);
  }
}

/** The `tel:` address of a number as people write it (RFC 3966); nothing for what has no digits. */
export function phoneAddress(phone: string): string | undefined {
  const number = phone.replace(/\(0\)/g, "").replace(/[^\d+*#]/g, "");
  return /^\+?[\d*#]+$/.test(number) && /\d/.test(number)
    ? `tel:${number.replaceAll("#", "%23")}`
    : undefined;
}

function userIdIn(text: string | undefined): UserId | undefined {
  return text !== undefined && /^@[^:\s]+:[^\s]+$/.test(text) ? asUserId(text) : undefined;
}
