import { X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAct } from "~/hooks/act";
import { type NotificationPreferences, usePreferences } from "~/hooks/preferences";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { AccountSwitch } from "~/matrix/push-choices";
import { Button, IconButton } from "~/ui/button";
import { Switch, TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Group, Page } from "~/ui/page";
import { Segments } from "~/ui/segments";
import { ChannelLevels } from "./channel-levels";
import styles from "./notifications.module.css";
import { OnThisDevice } from "./on-this-device";

/** The page of the settings: what one hears of, where, and how loud. */
export function NotificationSettings() {
  const { t } = useTranslation("notifications");
  return (
    <Page title={t("title")}>
      <AccountLevels />
      <Keywords />
      <ChannelLevels />
      <OnThisDevice />
      <QuietHours />
    </Page>
  );
}

const SWITCHES = ["directs", "roomMentions", "invites"] as const satisfies readonly AccountSwitch[];

function AccountLevels() {
  const { t } = useTranslation("notifications");
  const { pushRules } = useSession();
  const choices = useSlice(pushRules.account, "account");
  const { error: failure, run: attempt } = useAct();
  const set = (what: AccountSwitch, isOn: boolean) => void attempt(() => pushRules.setSwitch(what, isOn));
  return (
    <Group title={t("account.title")} hint={t("account.hint")}>
      <Switch
        label={t("account.silent")}
        hint={t("account.silentHint")}
        isSelected={choices.isSilent}
        onChange={(isOn) => set("isSilent", isOn)}
      />
      <Segments
        label={t("account.channels")}
        value={choices.channels}
        isDisabled={choices.isSilent}
        options={(["all", "mentions"] as const).map((id) => ({ id, label: t(`level.${id}`) }))}
        onChange={(level) => set("channels", level === "all")}
      />
      {SWITCHES.map((what) => (
        <Switch
          key={what}
          label={t(`account.${what}`)}
          isSelected={choices[what]}
          isDisabled={choices.isSilent}
          onChange={(isOn) => set(what, isOn)}
        />
      ))}
      {failure && <Notice tone="danger">{failure}</Notice>}
    </Group>
  );
}

function Keywords() {
  const { t } = useTranslation("notifications");
  const { pushRules } = useSession();
  const { keywords } = useSlice(pushRules.account, "account");
  const { error: failure, run: attempt } = useAct();
  const [word, setWord] = useState("");

  async function add(event: FormEvent) {
    event.preventDefault();
    if (word.trim() === "") return;
    if (await attempt(() => pushRules.setKeyword(word, true))) setWord("");
  }

  return (
    <Group title={t("keywords.title")} hint={t("keywords.hint")}>
      <form onSubmit={(event) => void add(event)}>
        <TextField
          label={t("keywords.word")}
          maxLength={100}
          value={word}
          onChange={setWord}
          after={<Button type="submit">{t("keywords.add")}</Button>}
        />
      </form>
      {keywords.length > 0 && (
        <ul className={styles.words} aria-label={t("keywords.title")}>
          {keywords.map((keyword) => (
            <li key={keyword} className={styles.word}>
              {keyword}
              <IconButton
                icon={X}
                size="small"
                label={t("keywords.remove", { keyword })}
                onPress={() => void attempt(() => pushRules.setKeyword(keyword, false))}
              />
            </li>
          ))}
        </ul>
      )}
      {failure && <Notice tone="danger">{failure}</Notice>}
    </Group>
  );
}

function QuietHours() {
  const { t } = useTranslation("notifications");
  const { quiet } = usePreferences((preferences) => preferences.notifies);
  const set = (change: Partial<NotificationPreferences["quiet"]>) =>
    usePreferences.setState(({ notifies }) => ({
      notifies: { ...notifies, quiet: { ...notifies.quiet, ...change } },
    }));
  return (
    <Group title={t("quiet.title")} hint={t("quiet.hint")}>
      <Switch label={t("quiet.on")} isSelected={quiet.isOn} onChange={(isOn) => set({ isOn })} />
      <div className={styles.row}>
        <TextField
          label={t("quiet.from")}
          type="time"
          isDisabled={!quiet.isOn}
          value={quiet.from}
          onChange={(from) => set({ from })}
        />
        <TextField
          label={t("quiet.to")}
          type="time"
          isDisabled={!quiet.isOn}
          value={quiet.to}
          onChange={(to) => set({ to })}
        />
      </div>
    </Group>
  );
}
