import { Link, useCanGoBack, useNavigate, useParams, useRouter } from "@tanstack/react-router";
import { ArrowLeft, LogOut, X } from "lucide-react";
import { Suspense, useRef, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components/Modal";
import { SignOutDialog } from "~/features/sessions";
import { useTranslation } from "~/i18n/use-translation";
import { Button, IconButton } from "~/ui/button";
import { useEscape } from "~/ui/escape";
import { Spinner } from "~/ui/marks";
import { PAGES } from "./pages";
import styles from "./settings.module.css";

/** The settings over the whole window: their pages beside the one that is open. Escape leads back. */
export function SettingsScreen() {
  const { t } = useTranslation("settings");
  const { page: wanted } = useParams({ from: "/shell/settings/$page" });
  const leave = useLeave();
  const page = PAGES.find(({ id }) => id === wanted) ?? PAGES[0];
  // On phones the list of pages is a page of its own.
  const isList = wanted !== page.id;
  useEscape(true, leave);
  return (
    <ModalOverlay
      isOpen
      onOpenChange={(isOpen) => {
        if (!isOpen) leave();
      }}
      className={styles.scrim ?? ""}
    >
      <Modal className={styles.modal ?? ""}>
        <Dialog
          aria-label={t("settings")}
          className={styles.dialog ?? ""}
          data-page={isList ? "all" : page.id}
        >
          <Pages current={page.id} onLeave={leave} />
          <div className={styles.main}>
            <div className={styles.bar}>
              <BackToList />
              <span className={styles.end}>
                <kbd className={styles.escape} aria-hidden>
                  Esc
                </kbd>
                <IconButton icon={X} label={t("close")} onPress={leave} />
              </span>
            </div>
            <Suspense key={page.id} fallback={<Spinner label={t("loading")} />}>
              <page.content />
            </Suspense>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

const SECTIONS = ["you", "app", "data"] as const;

function Pages({ current, onLeave }: { current: string; onLeave: () => void }) {
  const { t } = useTranslation("settings");
  const [isLeaving, setLeaving] = useState(false);
  return (
    <nav aria-label={t("pages")} className={styles.nav}>
      <div className={styles.row}>
        <p className={styles.heading}>{t("settings")}</p>
        <IconButton icon={X} label={t("close")} className={styles.back} onPress={onLeave} />
      </div>
      {SECTIONS.map((section) => (
        <div key={section}>
          <p className={styles.section}>{t(`sections.${section}`)}</p>
          <ul>
            {PAGES.filter((page) => page.section === section).map(({ id, icon: Icon }) => (
              <li key={id}>
                <Link
                  to="/settings/$page"
                  params={{ page: id }}
                  // The way back leads out of the settings, not through their pages.
                  replace
                  className={styles.item}
                  aria-current={id === current ? "page" : undefined}
                >
                  <Icon size={18} strokeWidth={1.9} aria-hidden />
                  {t(`page.${id}`)}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <Button kind="quiet" icon={LogOut} className={styles.signOut} onPress={() => setLeaving(true)}>
        {t("signOut")}
      </Button>
      <SignOutDialog isOpen={isLeaving} onClose={() => setLeaving(false)} />
    </nav>
  );
}

function BackToList() {
  const { t } = useTranslation("settings");
  const navigate = useNavigate();
  return (
    <IconButton
      icon={ArrowLeft}
      label={t("all")}
      className={styles.back}
      onPress={() => void navigate({ to: "/settings/$page", params: { page: "all" }, replace: true })}
    />
  );
}

/** Back to where one came from; to the beginning, if the settings were the first thing that was opened. */
function useLeave(): () => void {
  const router = useRouter();
  const navigate = useNavigate();
  const canGoBack = useCanGoBack();
  const hasLeft = useRef(false);
  return () => {
    if (hasLeft.current) return;
    hasLeft.current = true;
    if (canGoBack) router.history.back();
    else void navigate({ to: "/" });
  };
}
