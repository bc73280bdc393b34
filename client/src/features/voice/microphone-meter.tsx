import { useEffect, useRef, useState } from "react";
import { MicrophoneTest } from "~/calls/device-test";
import { meterShare } from "~/calls/meter";
import { callSettings } from "~/calls/settings";
import { useCallSettings } from "~/hooks/calls";
import { useTranslation } from "~/i18n/use-translation";
import { Switch } from "~/ui/field";
import styles from "./voice-settings.module.css";

const DRAWN_EVERY_MS = 80;

/** How loud the microphone is, for as long as this is shown. */
export function MicrophoneMeter({ onFailed }: { onFailed: () => void }) {
  const { t } = useTranslation("voice-settings");
  const [test, setTest] = useState<MicrophoneTest>();
  const [isMonitored, setIsMonitored] = useState(false);
  const meter = useRef<HTMLMeterElement>(null);
  const failed = useRef(onFailed);
  failed.current = onFailed;
  const inputGain = useCallSettings((settings) => settings.inputGain);
  const source = useCallSettings(
    ({ microphoneId, echoCancellation, noiseSuppression, autoGainControl, musicMode }) =>
      [microphoneId, echoCancellation, noiseSuppression, autoGainControl, musicMode].join(),
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another source is another test.
  useEffect(() => {
    let isGone = false;
    let opened: MicrophoneTest | undefined;
    MicrophoneTest.open(callSettings.getState()).then(
      (microphone) => {
        opened = microphone;
        if (isGone) microphone.close();
        else setTest(microphone);
      },
      () => {
        if (!isGone) failed.current();
      },
    );
    return () => {
      isGone = true;
      setTest(undefined);
      opened?.close();
    };
  }, [source]);

  useEffect(() => test?.setGain(inputGain), [test, inputGain]);
  useEffect(() => test?.setMonitored(isMonitored), [test, isMonitored]);
  useEffect(() => {
    if (!test) return;
    const timer = setInterval(() => {
      if (meter.current) meter.current.value = meterShare(test.level());
    }, DRAWN_EVERY_MS);
    return () => clearInterval(timer);
  }, [test]);

  return (
    <>
      <meter
        ref={meter}
        aria-label={t("level")}
        min={0}
        max={1}
        high={0.9}
        optimum={0.5}
        className={styles.meter}
      />
      <Switch
        label={t("monitor")}
        hint={t("monitorHint")}
        isSelected={isMonitored}
        onChange={setIsMonitored}
      />
    </>
  );
}
