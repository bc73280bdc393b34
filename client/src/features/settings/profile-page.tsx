import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { Profile, ProfileRights } from "~/matrix/profiles";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Switch, TextField } from "~/ui/field";
import { Notice, Spinner } from "~/ui/marks";
import { Group, Page } from "~/ui/page";
import styles from "./settings.module.css";
import { StatusForm } from "./status-form";

export function ProfilePage() {
  const { t } = useTranslation("settings");
  const { profiles, userId } = useSession();
  const { data: profile } = useQuery({
    queryKey: ["profile", userId],
    queryFn: () => profiles.load(userId),
  });
  const { data: rights } = useQuery({ queryKey: ["profile-rights"], queryFn: () => profiles.rights() });
  return (
    <Page title={t("page.profile")}>
      <Group title={t("profile.you")}>
        {profile && rights ? (
          <ProfileForm profile={profile} rights={rights} />
        ) : (
          <Spinner label={t("loading")} />
        )}
      </Group>
      <Group title={t("profile.status")} hint={t("profile.statusHint")}>
        <StatusForm />
      </Group>
    </Page>
  );
}

function ProfileForm({ profile, rights }: { profile: Profile; rights: ProfileRights }) {
  const { t } = useTranslation("settings");
  const { profiles, userId } = useSession();
  const queries = useQueryClient();
  const { error: failure, isPending, run: attempt } = useAct();
  const [name, setName] = useState(profile.name ?? "");
  const [title, setTitle] = useState(profile.title ?? "");
  const [department, setDepartment] = useState(profile.department ?? "");
  const [isSaved, setSaved] = useState(false);
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const renew = () => queries.invalidateQueries({ queryKey: ["profile", userId] });

  async function save() {
    setSaved(false);
    const isDone = await attempt(async () => {
      if (rights.name && name.trim() !== (profile.name ?? "")) await profiles.set("name", name.trim());
      if (rights.title && title.trim() !== (profile.title ?? "")) await profiles.set("title", title.trim());
      if (rights.department && department.trim() !== (profile.department ?? ""))
        await profiles.set("department", department.trim());
      await renew();
    });
    setSaved(isDone);
  }

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Picture profile={profile} mayChange={rights.avatar} onChanged={() => void renew()} />
      <TextField
        label={t("profile.name")}
        hint={rights.name ? undefined : t("profile.byCompany")}
        isReadOnly={!rights.name}
        value={name}
        onChange={setName}
      />
      <TextField
        label={t("profile.title")}
        hint={rights.title ? undefined : t("profile.byCompany")}
        isReadOnly={!rights.title}
        value={title}
        onChange={setTitle}
      />
      <TextField
        label={t("profile.department")}
        hint={rights.department ? undefined : t("profile.byCompany")}
        isReadOnly={!rights.department}
        value={department}
        onChange={setDepartment}
      />
      <Switch
        label={t("profile.zone")}
        hint={t("profile.zoneHint", { zone: ownZone.replaceAll("_", " ") })}
        isSelected={profile.timeZone !== undefined}
        isDisabled={!rights.timeZone}
        onChange={(isShown) =>
          void attempt(async () => {
            await profiles.set("timeZone", isShown ? ownZone : "");
            await renew();
          })
        }
      />
      <div className={styles.row}>
        <Button type="submit" kind="primary" isPending={isPending}>
          {t("save")}
        </Button>
        <span role="status" className={styles.muted}>
          {isSaved ? t("saved") : ""}
        </span>
      </div>
      {failure && <Notice tone="danger">{failure}</Notice>}
    </form>
  );
}

function Picture({
  profile,
  mayChange,
  onChanged,
}: {
  profile: Profile;
  mayChange: boolean;
  onChanged: () => void;
}) {
  const { t } = useTranslation("settings");
  const { profiles, userId } = useSession();
  const { error: failure, isPending, run: attempt } = useAct();
  const picker = useRef<HTMLInputElement>(null);
  const src = useMediaUrl(profile.avatarMxc, 72);
  const change = (picture: File | undefined) =>
    void attempt(async () => {
      await profiles.setAvatar(picture);
      onChanged();
    });
  return (
    <>
      <div className={styles.row}>
        <Avatar name={profile.name ?? userId} seed={userId} src={src} size={72} />
        <div className={styles.grow}>
          <p className={styles.sampleName}>{profile.name ?? userId}</p>
          <p className={styles.muted}>{userId}</p>
        </div>
        {mayChange && (
          <>
            <input
              ref={picker}
              type="file"
              accept="image/png,image/jpeg,image/webp,image/gif"
              aria-label={t("profile.picture")}
              className={styles.file}
              onChange={(event) => {
                const [file] = event.target.files ?? [];
                if (file) change(file);
                event.target.value = "";
              }}
            />
            <Button isPending={isPending} onPress={() => picker.current?.click()}>
              {t("profile.changePicture")}
            </Button>
            {profile.avatarMxc && (
              <Button kind="quiet" onPress={() => change(undefined)}>
                {t("profile.removePicture")}
              </Button>
            )}
          </>
        )}
      </div>
      {failure && <Notice tone="danger">{failure}</Notice>}
    </>
  );
}
