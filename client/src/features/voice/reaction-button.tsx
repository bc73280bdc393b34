import { Smile } from "lucide-react";
import { Button } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { toast } from "~/ui/toast";
import styles from "./voice.module.css";

const QUICK = ["👍", "❤️", "😂", "🎉", "👏", "😮", "🤔", "✋"];

/** An emoji for everybody in the call, shown on one's tile for a moment. */
export function ReactionButton({ className }: { className: string | undefined }) {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const react = (emoji: string) => {
    calls.react(emoji).catch(() => toast({ text: t("actionFailed"), tone: "danger" }));
  };
  return (
    <DialogTrigger>
      <Button aria-label={t("react")} className={className ?? ""}>
        <Smile size={18} strokeWidth={1.9} aria-hidden />
      </Button>
      <Popover placement="top" offset={6} className={styles.popover ?? ""}>
        <Dialog aria-label={t("react")} className={styles.emoji ?? ""}>
          {({ close }) =>
            QUICK.map((emoji) => (
              <Button
                key={emoji}
                aria-label={emoji}
                onPress={() => {
                  react(emoji);
                  close();
                }}
              >
                {emoji}
              </Button>
            ))
          }
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
