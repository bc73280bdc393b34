import { useAct } from "~/hooks/act";
import { usePreferences } from "~/hooks/preferences";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { UserId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Group, Page } from "~/ui/page";
import styles from "./settings.module.css";

export function PrivacyPage() {
  const { t } = useTranslation("settings");
  const preferences = usePreferences();
  const set = usePreferences.setState;
  return (
    <Page title={t("page.privacy")}>
      <Group title={t("privacy.shown")} hint={t("privacy.thisDevice")}>
        <Switch
          label={t("privacy.receipts")}
          hint={t("privacy.receiptsHint")}
          isSelected={preferences.sendsReadReceipts}
          onChange={(sendsReadReceipts) => set({ sendsReadReceipts })}
        />
        <Switch
          label={t("privacy.typing")}
          isSelected={preferences.sendsTyping}
          onChange={(sendsTyping) => set({ sendsTyping })}
        />
      </Group>
      <OnTheAccount />
      <IgnoredPeople />
    </Page>
  );
}

function OnTheAccount() {
  const { t } = useTranslation("settings");
  const { presence, privacy } = useSession();
  const own = useSlice(presence.own, "own");
  const { areBlocked } = useSlice(privacy.invites, "invites");
  const { error: failure, run: attempt } = useAct();
  return (
    <Group title={t("privacy.account")} hint={t("privacy.everyDevice")}>
      <Switch
        label={t("privacy.presence")}
        hint={t("privacy.presenceHint")}
        isSelected={own.mode !== "invisible"}
        onChange={(isShown) =>
          void attempt(() =>
            presence.choose({ ...own, mode: isShown ? "online" : "invisible", untilTs: undefined }),
          )
        }
      />
      <Switch
        label={t("privacy.invites")}
        hint={t("privacy.invitesHint")}
        isSelected={areBlocked}
        onChange={(blocked) => void attempt(() => privacy.blockInvites(blocked))}
      />
      {failure && <Notice tone="danger">{failure}</Notice>}
    </Group>
  );
}

function IgnoredPeople() {
  const { t } = useTranslation("settings");
  const people = useSlice(useSession().ignored.list, "all");
  return (
    <Group title={t("privacy.ignored")} hint={t("privacy.ignoredHint")}>
      {people.length === 0 ? (
        <p className={styles.muted}>{t("privacy.nobodyIgnored")}</p>
      ) : (
        <ul className={styles.people}>
          {people.map((userId) => (
            <IgnoredPerson key={userId} userId={userId} />
          ))}
        </ul>
      )}
    </Group>
  );
}

function IgnoredPerson({ userId }: { userId: UserId }) {
  const { t } = useTranslation("settings");
  const { ignored } = useSession();
  const { error: failure, run: attempt } = useAct();
  return (
    <li className={styles.row}>
      <Avatar name={userId} seed={userId} size={32} />
      <span className={styles.grow}>{userId}</span>
      <Button onPress={() => void attempt(() => ignored.remove(userId))}>{t("privacy.unignore")}</Button>
      {failure && <Notice tone="danger">{failure}</Notice>}
    </li>
  );
}
