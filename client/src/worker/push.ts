/** The body of a push (Push Gateway API § POST /_matrix/push/v1/notify, as web push passes it on): often IDs alone. */
interface Push {
  room_id?: unknown;
  event_id?: unknown;
  room_name?: unknown;
  sender_display_name?: unknown;
  counts?: unknown;
  content?: unknown;
  notification?: unknown;
}

interface Shown {
  readonly title: string;
  readonly options: NotificationOptions;
}

const WORDS = {
  en: { in: (room: string) => `New message in ${room}`, new: "New message" },
  de: { in: (room: string) => `Neue Nachricht in ${room}`, new: "Neue Nachricht" },
} as const;

/** What a push shows; `undefined` if it says that nothing is unread any more. Nothing is fetched for it. */
export function notificationOf(body: string, language = navigator.language): Shown | undefined {
  const push = parse(body);
  const { room_id: roomId, event_id: eventId } = push;
  const isRead = typeof roomId !== "string" && typeof eventId !== "string";
  if (isRead && unreadOf(push) === 0) return undefined;
  const words = WORDS[language.startsWith("de") ? "de" : "en"];
  const room = textOf(push.room_name);
  const sender = textOf(push.sender_display_name);
  const said = textOf((push.content as { body?: unknown } | undefined)?.body);
  const title = room ? words.in(room) : sender ? sender : words.new;
  return {
    title,
    options: {
      body: [sender === title ? undefined : sender, said].filter(Boolean).join(": "),
      // One for each room: a busy one does not bury the others.
      tag: typeof roomId === "string" ? roomId : "echorift",
      icon: "/icon.svg",
      badge: "/icon.svg",
      data: { roomId, eventId },
    },
  };
}

/** The address that a click on a notification opens. */
export function openedBy(data: unknown): string {
  const { roomId, eventId } = (data ?? {}) as { roomId?: unknown; eventId?: unknown };
  if (typeof roomId !== "string") return "/";
  const event = typeof eventId === "string" ? `?event=${encodeURIComponent(eventId)}` : "";
  return `/room/${encodeURIComponent(roomId)}${event}`;
}

function parse(body: string): Push {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null) return {};
    const push = value as Push;
    const inner = push.notification;
    return typeof inner === "object" && inner !== null ? (inner as Push) : push;
  } catch {
    return {};
  }
}

function unreadOf({ counts }: Push): number | undefined {
  const unread = (counts as { unread?: unknown } | undefined)?.unread;
  return typeof unread === "number" ? unread : undefined;
}

const textOf = (value: unknown) =>
  typeof value === "string" && value !== "" ? value.slice(0, 200) : undefined;
