import { useState } from "react";
import { useAct, useFailureText } from "~/hooks/act";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import { type AccessToken, isBeyondRooms, readScopes } from "~/matrix/access-tokens";
import type { UserId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Confirm } from "~/ui/dialog";
import { Chip, Notice, Spinner } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./tokens.module.css";
import { useTokens } from "./use-tokens";

/** The tokens of an account; `nothing` is said where there are none. */
export function TokenList({ bot, nothing }: { bot: UserId | undefined; nothing: string }) {
  const { t } = useTranslation(["access-tokens", "ui"]);
  const { api, renew, list } = useTokens(bot);
  const failureText = useFailureText();
  const { error, isPending, run } = useAct();
  const [revoked, setRevoked] = useState<AccessToken>();

  async function revoke({ id, name }: AccessToken) {
    const isDone = await run(async () => {
      await api.revoke(bot, id);
      await renew();
    });
    if (!isDone) return;
    setRevoked(undefined);
    toast({ text: t("revoked", { name }) });
  }

  if (list.error) return <Notice tone="danger">{failureText(list.error)}</Notice>;
  if (!list.data) return <Spinner label={t("ui:loading")} />;
  if (list.data.length === 0) return <p className={styles.none}>{nothing}</p>;
  return (
    <>
      <ul className={styles.tokens}>
        {list.data.map((token) => (
          <TokenRow key={token.id} token={token} onRevoke={() => setRevoked(token)} />
        ))}
      </ul>
      {revoked && (
        <Confirm
          isOpen
          isDangerous
          title={t("revokeTitle", { name: revoked.name })}
          action={t("revoke")}
          isPending={isPending}
          onConfirm={() => void revoke(revoked)}
          onClose={() => setRevoked(undefined)}
        >
          <p>{t("revokeText")}</p>
          {error && <Notice tone="danger">{error}</Notice>}
        </Confirm>
      )}
    </>
  );
}

function TokenRow({ token, onRevoke }: { token: AccessToken; onRevoke: () => void }) {
  const { t } = useTranslation("access-tokens");
  const { moment } = useTimes();
  const { name, expires_at: expires, last_used_at: used, last_used_ip: ip } = token;
  const { scopes, rooms } = readScopes(token.scopes);
  const isOver = expires != null && expires <= Date.now();
  const end = expires == null ? t("forever") : t(isOver ? "ended" : "until", { time: moment(expires) });
  const use = used == null ? t("neverUsed") : t(ip ? "usedFrom" : "used", { time: moment(used), ip });
  return (
    <li className={styles.token} aria-label={name}>
      <div className={styles.words}>
        <p className={styles.name}>{name}</p>
        <p className={styles.chips}>
          {scopes.map((scope) => (
            <Chip key={scope} tone={isBeyondRooms([scope]) ? "ember" : "echo"}>
              {t(`scope.${scope}`)}
            </Chip>
          ))}
          {rooms.length > 0 && <Chip>{t("inRooms", { count: rooms.length })}</Chip>}
        </p>
        <p className={styles.detail}>
          {use} · {end}
        </p>
      </div>
      <Button aria-label={t("revokeWhich", { name })} onPress={onRevoke}>
        {t("revoke")}
      </Button>
    </li>
  );
}
