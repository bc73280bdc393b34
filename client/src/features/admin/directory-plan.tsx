import { useQuery } from "@tanstack/react-query";
import { ListChecks } from "lucide-react";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import styles from "./admin.module.css";
import { Plan } from "./directory-schemas";
import { pathOf, titleOf } from "./domains";
import { Lines } from "./lines";
import { Waiting } from "./parts";

/** What a sync would do now; nothing of it is done. Asked for only when somebody wants it: the directory is read for it. */
export function PlanCard({ domain }: { domain: string }) {
  const { t } = useTranslation("admin");
  const { own } = useSession();
  const plan = useQuery({
    queryKey: ["directory-plan", domain],
    queryFn: ({ signal }) => own.get(Plan, `admin/v1/${pathOf("plan", domain)}`, {}, signal),
    enabled: false,
    retry: false,
    gcTime: 0,
  });
  const hasAsked = plan.isFetched || plan.isFetching;
  return (
    <section className={styles.card} aria-label={titleOf(t("plan.title"), domain)}>
      <header className={styles.cardHead}>
        <h3>{titleOf(t("plan.title"), domain)}</h3>
        <small>{t("plan.hint")}</small>
        <Button icon={ListChecks} isPending={plan.isFetching} onPress={() => void plan.refetch()}>
          {t("plan.look")}
        </Button>
      </header>
      {hasAsked && <Waiting query={plan}>{plan.data && <Planned plan={plan.data} />}</Waiting>}
    </section>
  );
}

function Planned({ plan }: { plan: Plan }) {
  const { t } = useTranslation("admin");
  const { rooms, troubles } = plan;
  const isNothing = plan.total === 0 && (rooms?.total ?? 0) === 0;
  return (
    <div role="status" className={styles.form}>
      {isNothing && <p className={styles.well}>{t("plan.nothing")}</p>}
      {plan.locks > plan.locks_max && (
        <Notice tone="ember">{t("sync.wouldLock", { count: plan.locks, max: plan.locks_max })}</Notice>
      )}
      <Lines title={t("plan.accounts", { count: plan.total })} lines={plan.changes} total={plan.total} />
      {rooms && (
        <Lines
          title={t("plan.rooms", { count: rooms.total })}
          lines={rooms.changes.map(({ sentence }) => sentence)}
          total={rooms.total}
        />
      )}
      {rooms && rooms.without_account > 0 && (
        <p className={styles.lead}>{t("plan.withoutAccount", { count: rooms.without_account })}</p>
      )}
      <Lines
        title={t("plan.troubles", { count: troubles.length })}
        lines={troubles.map(({ who, what }) => `${who}: ${what}`)}
        total={troubles.length}
      />
    </div>
  );
}
