import { useId, useState } from "react";
import { RoomPicker } from "~/features/forward";
import { useAct } from "~/hooks/act";
import { useAdminRight } from "~/hooks/admin-right";
import { useTranslation } from "~/i18n/use-translation";
import { isBeyondRooms, isOfAdministrators, SCOPES, type Scope } from "~/matrix/access-tokens";
import type { RoomId, UserId } from "~/matrix/ids";
import { Checkbox } from "~/ui/checkbox";
import { TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { Segments } from "~/ui/segments";
import { Select } from "~/ui/select";
import { EXPIRIES, type Expiry, endOf } from "./expiry";
import { MadeToken } from "./made-token";
import styles from "./tokens.module.css";
import { useTokens } from "./use-tokens";

/** As many rooms as a token can name (docs/bots.md). */
const ROOMS_MAX = 50;

interface TokenFormProps {
  /** Whose token it is to be; one's own without. */
  bot: UserId | undefined;
  botName?: string;
  onClose: () => void;
}

/** Makes a token and shows it, this once. */
export function TokenForm({ bot, botName, onClose }: TokenFormProps) {
  const { t } = useTranslation("access-tokens");
  const { api, renew } = useTokens(bot);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["read"]);
  const [where, setWhere] = useState<"everywhere" | "someRooms">("everywhere");
  const [rooms, setRooms] = useState<readonly RoomId[]>([]);
  const [expiry, setExpiry] = useState<Expiry>("90");
  const [missing, setMissing] = useState<"needsScope" | "needsRooms">();
  const [token, setToken] = useState<string>();
  const { error, isPending, run } = useAct();
  const isWide = isBeyondRooms(scopes);
  const isKept = !isWide && where === "someRooms";

  async function make() {
    const lack = scopes.length === 0 ? "needsScope" : isKept && rooms.length === 0 ? "needsRooms" : undefined;
    setMissing(lack);
    if (lack) return;
    await run(async () => {
      const request = { name: name.trim(), scopes, rooms: isKept ? rooms : [] };
      setToken(await api.make(bot, { ...request, expiresTs: endOf(expiry, Date.now()) }));
      await renew();
    });
  }

  const newTitle = botName === undefined ? t("new") : t("newFor", { name: botName });
  return (
    <FormDialog
      title={token === undefined ? newTitle : t("ready", { name })}
      action={t("make")}
      isPending={isPending}
      failure={error ?? (missing && t(missing))}
      result={token === undefined ? undefined : <MadeToken token={token} />}
      onSubmit={() => void make()}
      onClose={onClose}
    >
      <TextField
        label={t("name")}
        hint={t("nameHint")}
        value={name}
        onChange={setName}
        maxLength={60}
        isRequired
        autoFocus
        autoComplete="off"
      />
      <ScopeChoice isOfBot={bot !== undefined} scopes={scopes} onChange={setScopes} />
      <Segments
        label={t("where")}
        hint={isWide ? t("beyondRooms") : undefined}
        value={isKept ? "someRooms" : "everywhere"}
        isDisabled={isWide}
        options={[
          { id: "everywhere", label: t("everywhere") },
          { id: "someRooms", label: t("someRooms") },
        ]}
        onChange={setWhere}
      />
      {isKept && (
        <RoomPicker
          chosen={rooms}
          max={ROOMS_MAX}
          onChange={setRooms}
          words={{ search: t("roomsFor"), chosen: t("roomsChosen") }}
          isLow
        />
      )}
      <Select
        label={t("expires")}
        value={expiry}
        options={EXPIRIES.map((id) => ({ id, label: t(`expiry.${id}`) }))}
        onChange={setExpiry}
      />
    </FormDialog>
  );
}

interface ScopeChoiceProps {
  isOfBot: boolean;
  scopes: readonly Scope[];
  onChange: (scopes: readonly Scope[]) => void;
}

function ScopeChoice({ isOfBot, scopes, onChange }: ScopeChoiceProps) {
  const { t } = useTranslation("access-tokens");
  const isAdministrator = useAdminRight();
  const id = useId();
  // Of those who administer nothing it would open nothing.
  const offered = SCOPES.filter((scope) => !isOfAdministrators(scope) || (isAdministrator && !isOfBot));
  return (
    <fieldset className={styles.scopes} aria-labelledby={id}>
      <legend id={id} className={styles.label}>
        {t("may")}
      </legend>
      {offered.map((scope) => (
        <Checkbox
          key={scope}
          label={t(`scope.${scope}`)}
          hint={t(`scopeHint.${scope}`)}
          isSelected={scopes.includes(scope)}
          onChange={(isChosen) =>
            onChange(isChosen ? [...scopes, scope] : scopes.filter((other) => other !== scope))
          }
        />
      ))}
    </fieldset>
  );
}
