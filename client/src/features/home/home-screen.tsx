import { useTranslation } from "react-i18next";
import { Empty } from "~/ui/marks";

/** What is shown before a channel is chosen. */
export function HomeScreen() {
  const { t } = useTranslation("home");
  return (
    <main>
      <Empty title={t("title")} />
    </main>
  );
}
