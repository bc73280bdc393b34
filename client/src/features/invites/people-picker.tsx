import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { Input, SearchField } from "react-aria-components/SearchField";
import { Label, ListBox, ListBoxItem } from "react-aria-components/Select";
import { useMediaUrl } from "~/hooks/media";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundPerson } from "~/matrix/hierarchy";
import { asUserId, localpartOf, serverOf, type UserId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { PartnerChip } from "~/ui/marks";
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
    <div className={styles.picker}>
      {chosen.length > 0 && (
        <ul className={styles.chosen} aria-label={t("chosen")}>
          {chosen.map((person) => (
            <li key={person.userId}>
              <Button
                kind="plain"
                aria-label={t("remove", { name: person.name })}
                onPress={() => onChange(chosen.filter((one) => one !== person))}
              >
                {person.name}
                <X size={14} strokeWidth={2} aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Autocomplete inputValue={term} onInputChange={setTerm}>
        <SearchField autoFocus className={styles.search ?? ""}>
          <Label className={styles.searchLabel ?? ""}>{t("search")}</Label>
          <Input placeholder={t("searchHint")} className={styles.input ?? ""} />
        </SearchField>
        <ListBox
          aria-label={t("results")}
          className={styles.results ?? ""}
          renderEmptyState={() => <p className={styles.none}>{term.trim() ? t("nobody") : t("typeName")}</p>}
          onAction={(key) => {
            const person = found.find(({ userId }) => userId === key);
            if (person) choose(person);
          }}
        >
          {found.map((person) => (
            <ListBoxItem
              key={person.userId}
              id={person.userId}
              textValue={person.name}
              className={styles.result ?? ""}
            >
              <PersonLine person={person} />
            </ListBoxItem>
          ))}
        </ListBox>
      </Autocomplete>
    </div>
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
