import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { type Role, type RoomPermissions, roleFor } from "~/matrix/power-levels";
import { useSession, useSlice } from "./session";

/** What this account may do in the room: leave out of the screen what is false. */
export function usePermissions(roomId: RoomId): RoomPermissions {
  return useSlice(useSession().permissions.rooms, roomId);
}

/** The room's roles, highest first. */
export function useRoles(roomId: RoomId): readonly Role[] {
  return useSlice(useSession().permissions.roles, roomId);
}

/** What a level is called in this room. */
export function useRoleNames(roomId: RoomId): (level: number) => string {
  const { t } = useTranslation("roles");
  const roles = useRoles(roomId);
  return (level) => {
    const role = roleFor(roles, level);
    if (role.name) return role.name;
    return role.kind === "custom" ? t("custom", { level: role.level }) : t(role.kind);
  };
}
