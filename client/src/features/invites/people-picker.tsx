import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundPerson } from "~/matrix/hierarchy";
import { asUserId, localpartOf, serverOf, type UserId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { PartnerChip } from "~/ui/marks";
import { Picker } from "~/ui/picker";
import styles from "./invites.module.css";

interface PeoplePickerProps {
  chosen: readonly FoundPerson[];
  onChange: (chosen: readonly FoundPerson[]) => void;
  /** One person is enough: choosing another replaces the first. */
  isSingle?: boolean;
}

/** Finds people by name in the directory, or of any company by their ID. */
export function PeoplePicker({ chosen, onChange, isSingle }: PeoplePickerProps) {
  const { t } = useTranslation("invites");
  const [term, setTerm] = useState("");
  const found = usePeople(term).filter(({ userId }) => !chosen.some((one) => one.userId === userId));

  function choose(person: FoundPerson) {
    onChange(isSingle ? [person] : [...chosen, person]);
    setTerm("");
  }

  return (
    <Picker
      typed={term}
      onType={setTerm}
      found={found}
      idOf={({ userId }) => userId}
      nameOf={({ name }) => name}
      line={(person) => <PersonLine person={person} />}
      onPick={choose}
      chosen={chosen.map(({ userId, name }) => ({ id: userId, name }))}
      onRemove={(id) => onChange(chosen.filter(({ userId }) => userId !== id))}
      words={{
        search: t("search"),
        hint: t("searchHint"),
        results: t("results"),
        chosen: t("chosen"),
        nothing: term.trim() ? t("nobody") : t("typeName"),
        remove: (name) => t("remove", { name }),
      }}
    />
  );
}

function PersonLine({ person }: { person: FoundPerson }) {
  const src = useMediaUrl(person.avatarMxc, 30);
  return (
    <>
      <Avatar name={person.name} seed={person.userId} src={src} size={30} />
      <span className={styles.person}>
        <span>{person.name}</span>
        <small>{person.userId}</small>
      </span>
      {person.partnerServer && <PartnerChip server={person.partnerServer} />}
    </>
  );
}

function usePeople(term: string): readonly FoundPerson[] {
  const { directory, userId } = useSession();
  const wanted = useDeferredValue(term.trim());
  const { data } = useQuery({
    queryKey: ["people", wanted],
    enabled: wanted !== "",
    placeholderData: (before) => before,
    queryFn: () => directory.people(wanted),
  });
  const found = wanted === "" ? [] : (data ?? []);
  const byId = personOfId(wanted, userId);
  return byId && !found.some((person) => person.userId === byId.userId) ? [byId, ...found] : found;
}

/** Somebody of any company, by an ID typed whole. */
function personOfId(text: string, own: UserId): FoundPerson | undefined {
  if (!/^@[^\s:]+:[a-z0-9.:[\]-]+$/i.test(text) || text === own) return undefined;
  const server = serverOf(text);
  return {
    userId: asUserId(text),
    name: localpartOf(text),
    avatarMxc: undefined,
    partnerServer: server === serverOf(own) ? undefined : server,
  };
}
