import { CircleCheck, CircleX } from "lucide-react";
import { lazy, Suspense } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { VerificationView } from "~/matrix/encryption/verifications";
import { localpartOf } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Spinner } from "~/ui/marks";
import styles from "./encryption.module.css";

// Most people never see a code; what makes and reads them is fetched when one is needed.
const QrCode = lazy(async () => ({ default: (await import("./qr")).QrCode }));
const QrScanner = lazy(async () => ({ default: (await import("./qr")).QrScanner }));

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
    case "code":
      return view.code ? (
        <>
          <p>{t(view.isOwn ? "code.showOwn" : "code.showOther", { name })}</p>
          <Suspense fallback={<Spinner label={t("emoji.waiting")} />}>
            <QrCode bytes={view.code} />
          </Suspense>
        </>
      ) : (
        <Suspense fallback={<Spinner label={t("emoji.waiting")} />}>
          <QrScanner text={t(view.isOwn ? "code.scanOwn" : "code.scanOther", { name })} />
        </Suspense>
      );
    case "scanned":
      return <p>{t(view.isOwn ? "code.scannedOwn" : "code.scannedOther", { name })}</p>;
    case "emoji":
    case "confirmed":
      if (view.emoji.length === 0) return <p role="status">{t("emoji.confirmed")}</p>;
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
    case "code":
      return (
        <>
          <Button kind="quiet" onPress={close}>
            {t("emoji.cancel")}
          </Button>
          <Button onPress={() => void verifications.compareEmoji()}>{t("code.emojiInstead")}</Button>
        </>
      );
    case "scanned":
      return (
        <>
          <Button kind="danger" onPress={close}>
            {t("code.notScanned")}
          </Button>
          <Button kind="primary" onPress={() => void verifications.confirm()}>
            {t("code.scanned")}
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
