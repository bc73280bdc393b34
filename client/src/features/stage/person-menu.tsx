import { Ellipsis, MicOff, Pin, PinOff, UserX } from "lucide-react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { VOLUME_MAX, withVolume } from "~/calls/settings";
import type { CallMember } from "~/calls/types";
import { useCallSettings } from "~/hooks/calls";
import { useMemberActions } from "~/hooks/people";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Button, IconButton } from "~/ui/button";
import { Switch } from "~/ui/field";
import { Slider } from "~/ui/slider";
import { toast } from "~/ui/toast";
import styles from "./person-menu.module.css";
import tile from "./tile.module.css";

interface PersonMenuProps {
  roomId: RoomId;
  member: CallMember;
  name: string;
  isPinned: boolean;
}

/** What one can do about somebody in the call: for oneself, and, with the right, for all. */
export function PersonMenu({ roomId, member, name, isPinned }: PersonMenuProps) {
  const { t } = useTranslation("stage");
  const { calls } = useSession();
  // As the server has it: who may kick may also mute and put out.
  const mayModerate = useMemberActions(roomId, member.userId).canKick && !member.isMe;
  const act = (action: Promise<void>) => {
    action.catch(() => toast({ text: t("failed"), tone: "danger" }));
  };
  return (
    <DialogTrigger>
      <IconButton icon={Ellipsis} size="small" label={t("menuOf", { name })} className={tile.menu} />
      <Popover offset={6} className={styles.popover ?? ""}>
        <Dialog aria-label={t("menuOf", { name })} className={styles.menu ?? ""}>
          {({ close }) => (
            <>
              {!member.isMe && <Volumes userId={member.userId} isSharing={member.isSharing} />}
              <Button
                kind="quiet"
                icon={isPinned ? PinOff : Pin}
                onPress={() => {
                  calls.pin(isPinned ? undefined : member.key);
                  close();
                }}
              >
                {isPinned ? t("unpin") : t("pin")}
              </Button>
              {mayModerate && (
                <>
                  <Button
                    kind="quiet"
                    icon={MicOff}
                    onPress={() => {
                      act(calls.muteForAll(roomId, member.userId));
                      close();
                    }}
                  >
                    {t("muteForAll")}
                  </Button>
                  <Button
                    kind="quiet"
                    icon={UserX}
                    onPress={() => {
                      act(calls.putOut(roomId, member.userId));
                      close();
                    }}
                  >
                    {t("putOut")}
                  </Button>
                </>
              )}
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Volumes({ userId, isSharing }: { userId: UserId; isSharing: boolean }) {
  const { t } = useTranslation("stage");
  const { calls } = useSession();
  const volumes = useCallSettings((settings) => settings.volumes);
  const shareVolumes = useCallSettings((settings) => settings.shareVolumes);
  const silenced = useCallSettings((settings) => settings.silenced);
  const isSilenced = silenced.includes(userId);
  const range = { min: 0, max: VOLUME_MAX, step: 0.05, format: { style: "percent" } } as const;
  return (
    <>
      <Slider
        {...range}
        label={t("volume")}
        value={volumes[userId] ?? 1}
        isDisabled={isSilenced}
        onChange={(volume) => calls.changeSettings({ volumes: withVolume(volumes, userId, volume) })}
      />
      {isSharing && (
        <Slider
          {...range}
          label={t("shareVolume")}
          value={shareVolumes[userId] ?? 1}
          onChange={(volume) =>
            calls.changeSettings({ shareVolumes: withVolume(shareVolumes, userId, volume) })
          }
        />
      )}
      <Switch
        label={t("muteForMe")}
        isSelected={isSilenced}
        onChange={(isOn) =>
          calls.changeSettings({
            silenced: isOn ? [...silenced, userId] : silenced.filter((other) => other !== userId),
          })
        }
      />
    </>
  );
}
