import { useTranslation } from "~/i18n/use-translation";
import { Segments } from "~/ui/segments";
import { AppServices } from "./app-services";
import { Bots } from "./bots";
import { Hooks } from "./hooks";
import { useFilters } from "./search";

const KINDS = ["services", "hooks", "bots"] as const;
type Kind = (typeof KINDS)[number];

/** Programs that act on this server: application services, webhooks and bots. */
export function ApplicationsPage() {
  const { t } = useTranslation("admin");
  const { state, set } = useFilters();
  const shown = KINDS.find((kind) => kind === state) ?? "services";
  const choice = (
    <Segments<Kind>
      label={t("app.kind")}
      value={shown}
      options={KINDS.map((id) => ({ id, label: t(`app.${id}`) }))}
      onChange={(id) => set({ state: id === "services" ? undefined : id, item: undefined })}
    />
  );
  if (shown === "hooks") return <Hooks choice={choice} />;
  if (shown === "bots") return <Bots choice={choice} />;
  return <AppServices choice={choice} />;
}
