import { CircleCheck, CircleX } from "lucide-react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { VerificationView } from "~/matrix/encryption/verifications";
import { localpartOf } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Spinner } from "~/ui/marks";
import styles from "./encryption.module.css";

/** Two devices show the same seven pictures, or somebody stands between them. */
export function EmojiDialog() {
  const { t } = useTranslation("encryption");
  const { verifications } = useSession();
  const { view } = useSlice(verifications.current, "current");
  if (!view) return null;
  const close = () => void verifications.cancel();
  return (
    <Dialog
      title={t(view.isOwn ? "emoji.titleOwn" : "emoji.titleOther", { name: localpartOf(view.userId) })}
      isOpen
      onClose={close}
      footer={<Actions view={view} />}
    >
      <div className={styles.stack}>
        <Body view={view} />
      </div>
    </Dialog>
  );
}

function Body({ view }: { view: VerificationView }) {
  const { t } = useTranslation("encryption");
  const name = localpartOf(view.userId);
  switch (view.phase) {
    case "asked":
      return <p>{t(view.isOwn ? "emoji.askedOwn" : "emoji.askedOther", { name })}</p>;
    case "waiting":
      return (
        <>
          <p>{t(view.isOwn ? "emoji.waitingOwn" : "emoji.waitingOther", { name })}</p>
          <Spinner label={t("emoji.waiting")} />
        </>
      );
    case "emoji":
    case "confirmed":
      return (
        <>
          <p>{t("emoji.compare")}</p>
          <ul className={styles.emoji} aria-label={t("emoji.list")}>
            {view.emoji.map(({ symbol, name: emojiName }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may come twice, and none moves.
              <li key={index}>
                <span className={styles.symbol} aria-hidden>
                  {symbol}
                </span>
                <span>{t(`emojiNames.${emojiName}`, { defaultValue: emojiName })}</span>
              </li>
            ))}
          </ul>
          {view.phase === "confirmed" && <p role="status">{t("emoji.confirmed")}</p>}
        </>
      );
    case "done":
      return (
        <p className={styles.outcome} role="status">
          <CircleCheck size={22} strokeWidth={1.9} aria-hidden className={styles.good} />
          {t(view.isOwn ? "emoji.doneOwn" : "emoji.doneOther", { name })}
        </p>
      );
    case "cancelled":
      return (
        <p className={styles.outcome} role="alert">
          <CircleX size={22} strokeWidth={1.9} aria-hidden className={styles.bad} />
          {t(view.isMismatch ? "emoji.mismatched" : "emoji.cancelled")}
        </p>
      );
  }
}

function Actions({ view }: { view: VerificationView }) {
  const { t } = useTranslation("encryption");
  const { verifications } = useSession();
  const close = () => void verifications.cancel();
  switch (view.phase) {
    case "asked":
      return (
        <>
          <Button kind="quiet" onPress={close}>
            {t("emoji.decline")}
          </Button>
          <Button kind="primary" onPress={() => void verifications.accept()}>
            {t("emoji.accept")}
          </Button>
        </>
      );
    case "emoji":
      return (
        <>
          <Button kind="danger" onPress={() => verifications.mismatch()}>
            {t("emoji.differ")}
          </Button>
          <Button kind="primary" onPress={() => void verifications.confirm()}>
            {t("emoji.match")}
          </Button>
        </>
      );
    case "waiting":
    case "confirmed":
      return (
        <Button kind="quiet" onPress={close}>
          {t("emoji.cancel")}
        </Button>
      );
    case "done":
    case "cancelled":
      return (
        <Button kind="primary" onPress={close}>
          {t("emoji.close")}
        </Button>
      );
  }
}
