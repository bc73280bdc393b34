import { Mic } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { Card } from "./card";
import styles from "./onboarding.module.css";
import { useMicrophoneTest } from "./use-microphone-test";

/** Whether the others will hear somebody, before they are in a call. */
export function MicrophoneCard() {
  const { t } = useTranslation("onboarding");
  const test = useMicrophoneTest();
  const [hasWorked, setWorked] = useState(false);
  if (test.hasSound && !hasWorked) setWorked(true);
  return (
    <Card
      icon={Mic}
      title={t("microphone.title")}
      text={t(hasWorked && !test.isRunning ? "microphone.works" : "microphone.text")}
      isDone={hasWorked}
    >
      {test.failure && <Notice tone="danger">{t(`microphone.${test.failure}`)}</Notice>}
      {test.isRunning && (
        <meter
          className={styles.meter}
          aria-label={t("microphone.level")}
          min={0}
          max={1}
          value={test.level}
        />
      )}
      <div>
        <Button onPress={test.isRunning ? test.stop : test.start}>
          {t(test.isRunning ? "microphone.stop" : "microphone.test")}
        </Button>
      </div>
    </Card>
  );
}
