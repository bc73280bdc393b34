import { useNavigate, useSearch } from "@tanstack/react-router";
import { SearchX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId, type RoomId } from "~/matrix/ids";
import { parseSearch } from "~/matrix/search-query";
import { Button } from "~/ui/button";
import { Empty, Notice, Spinner } from "~/ui/marks";
import { FoundMessage } from "./found-message";
import styles from "./search.module.css";
import { useFound } from "./use-found";

/** A pause in typing this long begins the search. */
const TYPING_PAUSE_MS = 300;
const OPERATORS = ["from:", "in:all", "has:file", "has:image", "has:link", "before:", "after:"] as const;

/** Finds messages of a channel, or of all; what is searched for stands in the address. */
export function SearchPanel({ roomId }: { roomId?: RoomId }) {
  const { t } = useTranslation("search");
  const navigate = useNavigate();
  const { q = "" } = useSearch({ strict: false });
  const [text, setText] = useState(q);
  const field = useRef<HTMLInputElement>(null);
  const room = useRoom(roomId ?? asRoomId(""));

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (text.trim() === q) return;
    const timer = setTimeout(() => {
      const search = (before: object) => ({ ...before, q: text.trim() || undefined });
      void navigate({ to: ".", search: search as never, replace: true });
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, q, navigate]);

  const query = parseSearch(q);
  const isHere = room?.isEncrypted === true && query.in.length === 0;
  const found = useFound(q, roomId, isHere);

  function add(operator: string) {
    setText((before) => `${before.trim()} ${operator}${operator.endsWith(":") ? "" : " "}`.trimStart());
    field.current?.focus();
  }

  return (
    <div className={styles.panel}>
      <search className={styles.top}>
        <input
          ref={field}
          type="search"
          value={text}
          aria-label={t("field")}
          placeholder={t("field")}
          className={styles.field}
          onChange={(event) => setText(event.target.value)}
        />
        <ul aria-label={t("filters")} className={styles.operators}>
          {OPERATORS.map((operator) => (
            <li key={operator}>
              <button
                type="button"
                title={t(`operator.${operator.replace(":", "_")}`)}
                className={styles.operator}
                onClick={() => add(operator)}
              >
                {operator}
              </button>
            </li>
          ))}
        </ul>
      </search>
      {isHere && <Notice>{t("onlyHere")}</Notice>}
      {query.in.includes("all") && <Notice>{t("notEncrypted")}</Notice>}
      <div role="status" className="sr-only">
        {found.status === "ready" && t("count", { count: found.results.length })}
      </div>
      {found.status === "idle" && <p className={styles.hint}>{t("hint")}</p>}
      {found.status === "loading" && <Spinner label={t("searching")} />}
      {found.status === "failed" && <Notice tone="danger">{t("failed")}</Notice>}
      {found.status === "ready" && found.results.length === 0 && (
        <Empty title={t("nothing")}>
          <SearchX size={22} strokeWidth={1.9} aria-hidden />
        </Empty>
      )}
      {found.status === "ready" && (
        <ol aria-label={t("results")} className={styles.results}>
          {found.results.map((result) => (
            <FoundMessage
              key={result.eventId}
              found={result}
              highlights={found.highlights}
              showsRoom={result.roomId !== roomId}
            />
          ))}
        </ol>
      )}
      {found.status === "ready" && found.more && (
        <Button kind="quiet" isPending={found.isLoadingMore} onPress={found.more}>
          {t("more")}
        </Button>
      )}
    </div>
  );
}
