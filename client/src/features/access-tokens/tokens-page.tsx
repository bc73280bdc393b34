import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Group, Page } from "~/ui/page";
import { BotList } from "./bot-list";
import { TokenForm } from "./token-form";
import { TokenList } from "./token-list";
import styles from "./tokens.module.css";

/** What programs may do with this account, and the accounts that this person has made for programs. */
export function TokensPage() {
  const { t } = useTranslation(["access-tokens", "settings"]);
  const [isMaking, setMaking] = useState(false);
  return (
    <Page title={t("settings:page.tokens")} intro={t("intro")}>
      <Group title={t("own")} hint={t("ownHint")}>
        <TokenList bot={undefined} nothing={t("none")} />
        <div className={styles.acts}>
          <Button icon={Plus} onPress={() => setMaking(true)}>
            {t("new")}
          </Button>
        </div>
      </Group>
      <BotList />
      {isMaking && <TokenForm bot={undefined} onClose={() => setMaking(false)} />}
    </Page>
  );
}
