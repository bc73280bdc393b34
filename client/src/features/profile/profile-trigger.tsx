import type { ReactNode } from "react";
import { Button } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { cx } from "~/ui/cx";
import styles from "./profile.module.css";
import { ProfileCard } from "./profile-card";

interface ProfileTriggerProps {
  roomId: RoomId;
  userId: UserId;
  className?: string | undefined;
  /** Its name for screen readers, if what stands inside does not say enough. */
  label?: string;
  /** Marks the button as one of the member list, for its keys. */
  "data-member"?: UserId;
  children: ReactNode;
}

/** A person's picture, name or row as a button that opens their card. */
export function ProfileTrigger({ roomId, userId, className, label, children, ...rest }: ProfileTriggerProps) {
  const { t } = useTranslation("profile");
  return (
    <DialogTrigger>
      <Button className={cx(styles.trigger, className)} {...(label ? { "aria-label": label } : {})} {...rest}>
        {children}
      </Button>
      <Popover placement="bottom start" offset={6} className={styles.popover ?? ""}>
        <Dialog aria-label={t("card")} className={styles.dialog ?? ""}>
          <ProfileCard roomId={roomId} userId={userId} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
