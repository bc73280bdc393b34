import { Plus } from "lucide-react";
import { useState } from "react";
import { useAct, useFailureText } from "~/hooks/act";
import { useTranslation } from "~/i18n/use-translation";
import type { Bot } from "~/matrix/access-tokens";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Confirm } from "~/ui/dialog";
import { Notice, Spinner } from "~/ui/marks";
import { Group } from "~/ui/page";
import { toast } from "~/ui/toast";
import { BotForm } from "./bot-form";
import { TokenForm } from "./token-form";
import { TokenList } from "./token-list";
import styles from "./tokens.module.css";
import { useBots } from "./use-tokens";

/** The accounts that this person has made for programs, each with its tokens. */
export function BotList() {
  const { t } = useTranslation(["access-tokens", "ui"]);
  const { list } = useBots();
  const failureText = useFailureText();
  const [isMaking, setMaking] = useState(false);
  return (
    <Group title={t("bots")} hint={t("botsHint")}>
      {list.error && <Notice tone="danger">{failureText(list.error)}</Notice>}
      {list.isPending && <Spinner label={t("ui:loading")} />}
      {list.data?.length === 0 && <p className={styles.none}>{t("noBots")}</p>}
      {list.data?.map((bot) => (
        <BotCard key={bot.user_id} bot={bot} />
      ))}
      <div className={styles.acts}>
        <Button icon={Plus} onPress={() => setMaking(true)}>
          {t("newBot")}
        </Button>
      </div>
      {isMaking && <BotForm onClose={() => setMaking(false)} />}
    </Group>
  );
}

function BotCard({ bot }: { bot: Bot }) {
  const { t } = useTranslation("access-tokens");
  const { api, renew } = useBots();
  const { error, isPending, run } = useAct();
  const [asked, setAsked] = useState<"token" | "end">();
  const id = bot.user_id;
  const name = bot.display_name || id;

  async function end() {
    const isDone = await run(async () => {
      await api.endBot(id);
      await renew();
    });
    if (isDone) toast({ text: t("endedBot", { name }) });
  }

  return (
    <section aria-label={name} className={styles.bot}>
      <header className={styles.botHead}>
        <Avatar name={name} seed={id} size={36} />
        <div className={styles.words}>
          <h3 className={styles.name}>{name}</h3>
          <p className={styles.detail}>{id}</p>
        </div>
      </header>
      <TokenList bot={id} nothing={t("botNone")} />
      <div className={styles.acts}>
        <Button kind="quiet" aria-label={t("endWhich", { name })} onPress={() => setAsked("end")}>
          {t("endBot")}
        </Button>
        <Button icon={Plus} aria-label={t("newFor", { name })} onPress={() => setAsked("token")}>
          {t("botToken")}
        </Button>
      </div>
      {asked === "token" && <TokenForm bot={id} botName={name} onClose={() => setAsked(undefined)} />}
      {asked === "end" && (
        <Confirm
          isOpen
          isDangerous
          title={t("endTitle", { name })}
          action={t("endBot")}
          isPending={isPending}
          onConfirm={() => void end()}
          onClose={() => setAsked(undefined)}
        >
          <p>{t("endText")}</p>
          {error && <Notice tone="danger">{error}</Notice>}
        </Confirm>
      )}
    </section>
  );
}
