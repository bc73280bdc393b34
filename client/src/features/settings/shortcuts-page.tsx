import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { Group, Page } from "~/ui/page";
import styles from "./settings.module.css";
import { SHORTCUTS } from "./shortcuts";

export function ShortcutsPage() {
  const { t } = useTranslation("settings");
  const command = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : t("shortcuts.ctrl");
  return (
    <Page title={t("page.shortcuts")} intro={t("shortcuts.intro")}>
      {SHORTCUTS.map(({ group, list }) => (
        <Group key={group} title={t(`shortcuts.groups.${group}`)}>
          <table className={styles.shortcuts}>
            <tbody>
              {list.map(({ id, keys }) => (
                <tr key={id}>
                  <th scope="row">{t(`shortcuts.${id}`)}</th>
                  <td>
                    {keys.map((combination, index) => (
                      <Fragment key={combination.join()}>
                        {index > 0 && ` ${t("shortcuts.or")} `}
                        {combination.map((key) => (
                          <Fragment key={key}>
                            <kbd>{key === "Mod" ? command : key}</kbd>{" "}
                          </Fragment>
                        ))}
                      </Fragment>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Group>
      ))}
    </Page>
  );
}
