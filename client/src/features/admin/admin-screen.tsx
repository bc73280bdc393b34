import { lazy, Suspense } from "react";
import { useWhoami } from "~/hooks/admin-right";
import { useTranslation } from "~/i18n/use-translation";
import { ApiError } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Empty, Notice, Spinner } from "~/ui/marks";

const AdminPages = lazy(async () => ({ default: (await import("./admin-pages")).AdminPages }));

/** The administration. Its pages are fetched only for those whom the server calls administrators. */
export function AdminScreen() {
  const { t } = useTranslation(["admin", "ui"]);
  const whoami = useWhoami();
  if (whoami.isPending) return <Spinner label={t("ui:loading")} />;
  if (whoami.error) {
    const isAbsent = whoami.error instanceof ApiError && whoami.error.errcode === "M_UNRECOGNIZED";
    return (
      <Empty title={isAbsent ? t("absent") : t("ui:somethingFailed", { reason: whoami.error.message })}>
        <Button onPress={() => void whoami.refetch()}>{t("ui:retry")}</Button>
      </Empty>
    );
  }
  if (!whoami.data.is_administrator) return <Notice tone="danger">{t("notAllowed")}</Notice>;
  return (
    <Suspense fallback={<Spinner label={t("ui:loading")} />}>
      <AdminPages />
    </Suspense>
  );
}
