import {
  Slider as AriaSlider,
  Label,
  SliderOutput,
  SliderThumb,
  SliderTrack,
} from "react-aria-components/Slider";
import styles from "./slider.module.css";

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  /** How a value is said and shown, for example "80 %". */
  format: Intl.NumberFormatOptions;
  isDisabled?: boolean;
  onChange: (value: number) => void;
}

/** A value between two ends. */
export function Slider({ label, value, min, max, step, format, isDisabled, onChange }: SliderProps) {
  return (
    <AriaSlider
      value={value}
      minValue={min}
      maxValue={max}
      step={step}
      formatOptions={format}
      isDisabled={isDisabled ?? false}
      onChange={(next) => {
        if (typeof next === "number") onChange(next);
      }}
      className={styles.slider ?? ""}
    >
      <Label className={styles.label ?? ""}>{label}</Label>
      <SliderOutput className={styles.output ?? ""} />
      <SliderTrack
        className={styles.track ?? ""}
        style={{ "--share": `${((value - min) / (max - min)) * 100}%` }}
      >
        <SliderThumb className={styles.thumb ?? ""} />
      </SliderTrack>
    </AriaSlider>
  );
}
