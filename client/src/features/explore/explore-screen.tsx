import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { useFailureText } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Empty, Notice, Spinner } from "~/ui/marks";
import { Panel } from "~/ui/panel";
import styles from "./explore.module.css";
import { FoundCard } from "./found-card";

/** Servers and channels that everybody may join, here and at partners. */
export function ExploreScreen() {
  const { t } = useTranslation("explore");
  const { directory } = useSession();
  const describe = useFailureText();
  const [term, setTerm] = useState("");
  const [server, setServer] = useState("");
  const wanted = useDeferredValue(term.trim());
  const partner = useDeferredValue(server.trim());
  const { data, status, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["public-rooms", wanted, partner],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      directory.publicRooms(wanted, { since: pageParam, server: partner === "" ? undefined : partner }),
    getNextPageParam: ({ next }) => next,
  });
  const found = data?.pages.flatMap(({ rooms }) => rooms) ?? [];
  return (
    <Panel label={t("title")}>
      <header className={styles.header}>
        <h1>{t("title")}</h1>
        <p>{t("text")}</p>
        <div className={styles.fields}>
          <TextField type="search" label={t("search")} value={term} onChange={setTerm} />
          <TextField
            label={t("server")}
            placeholder={t("serverHint")}
            value={server}
            onChange={setServer}
            inputMode="url"
          />
        </div>
      </header>
      <div className={styles.results}>
        {status === "pending" && <Spinner label={t("ui:loading")} />}
        {status === "error" && <Notice tone="danger">{describe(error)}</Notice>}
        {status === "success" && found.length === 0 && <Empty title={t("nothing")} />}
        <ul className={styles.grid}>
          {found.map((room) => (
            <li key={room.id}>
              <FoundCard room={room} />
            </li>
          ))}
        </ul>
        {hasNextPage && (
          <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            {t("more")}
          </Button>
        )}
      </div>
    </Panel>
  );
}
