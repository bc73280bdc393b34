import { useQuery } from "@tanstack/react-query";
import { GitCompareArrows } from "lucide-react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import styles from "./admin.module.css";
import { Drift } from "./directory-schemas";
import { pathOf, titleOf } from "./domains";
import { Lines } from "./lines";
import { Waiting } from "./parts";

/** Where people have made it different from what the directory says. */
export function DriftCard({ domain, count }: { domain: string; count: number }) {
  const { t } = useTranslation("admin");
  const { own } = useSession();
  const drift = useQuery({
    queryKey: ["directory-drift", domain],
    queryFn: ({ signal }) => own.get(Drift, `admin/v1/${pathOf("drift", domain)}`, {}, signal),
    enabled: false,
    retry: false,
    gcTime: 0,
  });
  const hasAsked = drift.isFetched || drift.isFetching;
  return (
    <section className={styles.card} aria-label={titleOf(t("drift.title"), domain)}>
      <header className={styles.cardHead}>
        <h3>{titleOf(t("drift.title"), domain)}</h3>
        <small>{count > 0 ? t("drift.places", { count }) : t("drift.hint")}</small>
        <Button icon={GitCompareArrows} isPending={drift.isFetching} onPress={() => void drift.refetch()}>
          {t("drift.look")}
        </Button>
      </header>
      {hasAsked && (
        <Waiting query={drift}>
          {drift.data && (
            <div role="status">
              {drift.data.total === 0 && <p className={styles.well}>{t("drift.none")}</p>}
              <Lines
                title={t("drift.places", { count: drift.data.total })}
                lines={drift.data.items.map(({ room, sentence }) =>
                  room ? `${room}: ${sentence}` : sentence,
                )}
                total={drift.data.total}
              />
            </div>
          )}
        </Waiting>
      )}
    </section>
  );
}
