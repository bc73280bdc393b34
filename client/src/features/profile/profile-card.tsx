import { Building2, Clock, Hash, Network, Phone } from "lucide-react";
import { useMediaUrl } from "~/hooks/media";
import { useIsIgnored, usePresence } from "~/hooks/people";
import { useRoom } from "~/hooks/rooms";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import { localpartOf, type RoomId, type UserId } from "~/matrix/ids";
import { phoneAddress } from "~/matrix/profiles";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import { Chip, PartnerChip } from "~/ui/marks";
import { DirectoryFact } from "./directory-fact";
import styles from "./profile.module.css";
import { OwnActions, ProfileActions } from "./profile-actions";
import { RoleChoice } from "./role-choice";
import { type Person, usePerson, useProfile, useSharedRooms } from "./use-person";

interface ProfileCardProps {
  /** The room in which they were met: it decides on their name, role, and what one may do to them. */
  roomId?: RoomId | undefined;
  userId: UserId;
}

/** Somebody at a glance, and what one can do with them. For popovers and for the panel beside a channel. */
export function ProfileCard({ roomId, userId }: ProfileCardProps) {
  const person = usePerson(userId, roomId);
  return (
    <div className={styles.card}>
      <div className={styles.cover} aria-hidden />
      <Head person={person} />
      <Facts person={person} roomId={roomId} />
      {roomId && <RoleChoice roomId={roomId} userId={userId} />}
      {person.isMe ? <OwnActions /> : <ProfileActions roomId={roomId} userId={userId} name={person.name} />}
    </div>
  );
}

function Head({ person }: { person: Person }) {
  const { t } = useTranslation("profile");
  const src = useMediaUrl(person.avatarMxc, 64);
  const { state, text } = usePresence(person.userId);
  const isIgnored = useIsIgnored(person.userId);
  return (
    <header className={styles.head}>
      <Avatar name={person.name} seed={person.userId} src={src} size={64} presence={state} />
      <h2 className={styles.name}>{person.name}</h2>
      <p className={styles.id}>{person.userId}</p>
      <p className={styles.chips}>
        {person.partnerServer !== undefined && <PartnerChip server={person.partnerServer} />}
        {person.isMe && <Chip tone="echo">{t("you")}</Chip>}
        {isIgnored && <Chip tone="ember">{t("ignored")}</Chip>}
      </p>
      <p className={styles.status}>
        <i className={cx(styles.dot, styles[state])} aria-hidden />
        {text || t(`presence.${state}`)}
      </p>
    </header>
  );
}

function Facts({ person, roomId }: { person: Person; roomId: RoomId | undefined }) {
  const { t } = useTranslation("profile");
  const times = useTimes();
  const { title, department, manager, phone, timeZone } = person.profile;
  const work = [title, department].filter(Boolean).join(" · ");
  const time = localTime(times.clock, timeZone);
  return (
    <ul className={styles.facts}>
      {work && (
        <li>
          <Building2 size={15} strokeWidth={1.9} aria-hidden /> {work}
        </li>
      )}
      {manager && (
        <li>
          <Network size={15} strokeWidth={1.9} aria-hidden /> <Manager userId={manager} />
        </li>
      )}
      {phone && (
        <li>
          <Phone size={15} strokeWidth={1.9} aria-hidden /> <PhoneNumber phone={phone} />
        </li>
      )}
      {time && (
        <li>
          <Clock size={15} strokeWidth={1.9} aria-hidden /> {t("localTime", { time })}
        </li>
      )}
      {roomId && <DirectoryFact roomId={roomId} userId={person.userId} />}
      {!person.isMe && <SharedRooms userId={person.userId} />}
    </ul>
  );
}

function Manager({ userId }: { userId: UserId }) {
  const { t } = useTranslation("profile");
  const { name } = useProfile(userId);
  return <span>{t("manager", { name: name ?? localpartOf(userId) })}</span>;
}

/** A number that can be called, where it is one. */
function PhoneNumber({ phone }: { phone: string }) {
  const { t } = useTranslation("profile");
  const address = phoneAddress(phone);
  if (!address) return <span>{phone}</span>;
  return (
    <a href={address} aria-label={t("phone", { number: phone })}>
      {phone}
    </a>
  );
}

function SharedRooms({ userId }: { userId: UserId }) {
  const { t } = useTranslation("profile");
  const rooms = useSharedRooms(userId);
  if (rooms.length === 0) return null;
  return (
    <li className={styles.shared}>
      <Hash size={15} strokeWidth={1.9} aria-hidden />
      <span>
        {t("shared", { count: rooms.length })}{" "}
        {rooms.slice(0, SHARED_SHOWN_MAX).map((id, index) => (
          <SharedRoom key={id} roomId={id} isFirst={index === 0} />
        ))}
        {rooms.length > SHARED_SHOWN_MAX && ", …"}
      </span>
    </li>
  );
}

/** More would make a list of the card. */
const SHARED_SHOWN_MAX = 3;

function SharedRoom({ roomId, isFirst }: { roomId: RoomId; isFirst: boolean }) {
  const name = useRoom(roomId)?.name ?? roomId;
  return (
    <>
      {!isFirst && ", "}
      {name}
    </>
  );
}

/** What their clock shows; nothing if their zone is none. */
function localTime(clock: (ts: number, timeZone?: string) => string, timeZone: string | undefined): string {
  if (!timeZone) return "";
  try {
    return clock(Date.now(), timeZone);
  } catch {
    return "";
  }
}
