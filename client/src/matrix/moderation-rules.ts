import type { UserId } from "./ids";
import { isAbove, mayGiveLevel, type PowerLevels, permissionsOf, type Role } from "./power-levels";

/** What one person may do to another in a room. */
export interface MemberActions {
  readonly canKick: boolean;
  readonly canBan: boolean;
  readonly canUnban: boolean;
  /** Deleting their messages. */
  readonly canRedact: boolean;
  /** The roles that may be given to them, highest first; empty if theirs cannot be changed. */
  readonly grantable: readonly Role[];
}

export const NO_ACTIONS: MemberActions = {
  canKick: false,
  canBan: false,
  canUnban: false,
  canRedact: false,
  grantable: [],
};

interface Judged {
  readonly levels: PowerLevels;
  readonly roles: readonly Role[];
  readonly me: UserId;
  readonly target: UserId;
  readonly membership: string;
}

/** Which actions the server would let through; the room's auth rules decide in the end. */
export function judgeActions({ levels, roles, me, target, membership }: Judged): MemberActions {
  const mine = permissionsOf(levels, me);
  const isOther = me !== target;
  const reaches = isOther && isAbove(levels, me, target);
  const isIn = membership === "join" || membership === "invite" || membership === "knock";
  return {
    canKick: reaches && isIn && mine.kick,
    canBan: reaches && membership !== "ban" && mine.ban,
    canUnban: membership === "ban" && mine.ban && mine.kick,
    canRedact: isOther && mine.redactOthers,
    grantable:
      membership === "join" ? roles.filter(({ level }) => mayGiveLevel(levels, me, target, level)) : [],
  };
}
