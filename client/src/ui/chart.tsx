import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "./button";
import styles from "./chart.module.css";
import { marksFor } from "./chart-marks";

interface ChartSeries {
  name: string;
  values: readonly (number | null)[];
}

interface ChartProps {
  title: string;
  /** Milliseconds since the epoch, one for each value. */
  times: readonly number[];
  series: readonly ChartSeries[];
  format: (value: number) => string;
}

const HEIGHT = 150;
/** Rows of the table: more are no help to anybody. */
const TABLE_ROWS = 24;
const COLOURS = ["--echo", "--partner", "--ember"] as const;

/** Lines over time, with a sentence that says the same and a table on demand. */
export function Chart({ title, times, series, format }: ChartProps) {
  const { t, i18n } = useTranslation("ui");
  const [showsTable, setShowsTable] = useState(false);
  const summaryId = useId();
  const summary = series.map((one) => summarize(one, format)).filter((text) => text !== undefined);
  return (
    <figure className={styles.chart} aria-describedby={summaryId}>
      <figcaption className={styles.title}>
        <span>{title}</span>
        <Button
          kind="quiet"
          className={styles.switch}
          onPress={() => setShowsTable(!showsTable)}
          aria-label={t(showsTable ? "chartOf" : "tableOf", { title })}
        >
          {showsTable ? t("asChart") : t("asTable")}
        </Button>
      </figcaption>
      <p id={summaryId} className={styles.summary}>
        {summary.length > 0 ? summary.map((text) => t("chartSummary", text)).join(" · ") : t("noDataYet")}
      </p>
      {showsTable ? (
        <ChartTable times={times} series={series} format={format} language={i18n.language} />
      ) : (
        <Plot times={times} series={series} format={format} language={i18n.language} />
      )}
    </figure>
  );
}

function summarize({ name, values }: ChartSeries, format: (value: number) => string) {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return undefined;
  return { name, last: format(last), max: format(Math.max(...known)) };
}

function ChartTable({ times, series, format, language }: Omit<ChartProps, "title"> & { language: string }) {
  const { t } = useTranslation("ui");
  const step = Math.max(1, Math.ceil(times.length / TABLE_ROWS));
  const rows = times.map((time, index) => ({ time, index })).filter(({ index }) => index % step === 0);
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
    <section className={styles.table} aria-label={t("asTable")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("time")}</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ time, index }) => (
            <tr key={time}>
              <th scope="row">{clock.format(time)}</th>
              {series.map(({ name, values }) => {
                const value = values[index];
                return <td key={name}>{value === null || value === undefined ? "–" : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Plot({ times, series, format, language }: Omit<ChartProps, "title"> & { language: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    let isGone = false;
    let tearDown = () => {};
    void draw(element, { times, series, format }, language).then((end) => {
      if (isGone) end();
      else tearDown = end;
    });
    return () => {
      isGone = true;
      tearDown();
    };
  }, [times, series, format, language]);
  return <div ref={place} className={styles.plot} aria-hidden />;
}

async function draw(
  element: HTMLElement,
  { times, series, format }: Omit<ChartProps, "title">,
  language: string,
): Promise<() => void> {
  const { default: UPlot } = await import("uplot");
  const css = getComputedStyle(document.documentElement);
  const token = (name: string) => css.getPropertyValue(name).trim();
  // Looked up with each drawing: the theme may have changed.
  const colour = (name: string) => () => token(name);
  const axis = {
    stroke: colour("--text-3"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: `11px ${token("--sans")}`,
  };
  const marks = marksFor(times, language);
  const plot = new UPlot(
    {
      width: Math.max(element.clientWidth, 200),
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      axes: [
        {
          ...axis,
          space: 70,
          values: (_plot, seconds) => seconds.map((second) => marks.format(second * 1000)),
        },
        { ...axis, size: 64, values: (_plot, values) => values.map((value) => format(value)) },
      ],
      scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
      series: [
        {},
        ...series.map((one, index) => ({
          label: one.name,
          stroke: colour(COLOURS[index % COLOURS.length] ?? "--echo"),
          width: 1.8,
          points: { show: false },
          ...(index === 0 ? { fill: colour("--echo-soft") } : {}),
        })),
      ],
    },
    [times.map((time) => time / 1000), ...series.map(({ values }) => [...values])],
    element,
  );
  const observer = new ResizeObserver(() =>
    plot.setSize({ width: Math.max(element.clientWidth, 200), height: HEIGHT }),
  );
  observer.observe(element);
  const repainter = new MutationObserver(() => plot.redraw());
  repainter.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    observer.disconnect();
    repainter.disconnect();
    plot.destroy();
  };
}
