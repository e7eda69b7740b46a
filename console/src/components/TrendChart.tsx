import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use as useParts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import type { Severity } from "../api/finding";
import type { TrendPoint } from "../api/overview";
import { useTheme } from "../ui/theme";

useParts([BarChart, LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, CanvasRenderer]);

/** few days are drawn as bars: a line of two points says nothing. */
const few = 7;

const shown: Severity[] = ["critical", "high", "medium", "low"];

/** TrendChart draws open findings by day and severity. The figures of the last day stand beside it as text. */
export default function TrendChart({ points }: { points: TrendPoint[] }) {
  const place = useRef<HTMLDivElement>(null);
  const { isDark } = useTheme();
  useEffect(() => {
    const chart = init(place.current!);
    chart.setOption(option(points, getComputedStyle(place.current!)));
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(place.current!);
    return () => {
      watch.disconnect();
      chart.dispose();
    };
  }, [points, isDark]);
  const last = points.at(-1);
  const text = last ? `On ${last.day}: ${shown.map((s) => `${last.counts[s]} ${s}`).join(", ")}` : "no figures";
  return <div ref={place} className="chart" role="img" aria-label={`Open findings by day. ${text}`} />;
}

function option(points: TrendPoint[], style: CSSStyleDeclaration) {
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const text = colour("--colorNeutralForeground3");
  const line = colour("--line");
  return {
    animation: false,
    textStyle: { fontFamily: style.fontFamily },
    color: shown.map((s) => colour(`--${s}`)),
    grid: { left: 8, right: 12, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: text }, data: shown.map(capital) },
    // Drawn on the canvas: a tooltip of HTML would need inline styles, which the page's policy refuses.
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: colour("--panel"), borderColor: line, textStyle: { color: colour("--colorNeutralForeground1"), fontSize: 12 } },
    xAxis: { type: "category", boundaryGap: points.length < few, data: points.map((p) => p.day), axisLabel: { color: text, formatter: (day: string) => day.slice(5), hideOverlap: true }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: text }, splitLine: { lineStyle: { color: line, type: "dashed" } } },
    series: shown.map((s) => ({ name: capital(s), type: points.length < few ? "bar" : "line", barMaxWidth: 36, showSymbol: false, lineStyle: { width: 2 }, data: points.map((p) => p.counts[s]) })),
  };
}

function capital(s: string): string {
  return s.charAt(0).toUpperCase() + s.slice(1);
}
