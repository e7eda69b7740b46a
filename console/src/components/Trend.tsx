import { lazy, Suspense } from "react";
import type { TrendPoint } from "../api/overview";
import { Boundary } from "../ui/Fault";

const Chart = lazy(() => import("./TrendChart"));

/** Trend is the chart of open findings by day, fetched when it is first shown. */
export function Trend({ points }: { points: TrendPoint[] | null | undefined }) {
  if (!points?.length) {
    return (
      <div className="chart dim" style={{ display: "grid", placeItems: "center" }}>
        The first figures are drawn within a day of the first scan.
      </div>
    );
  }
  return (
    <Boundary>
      <Suspense fallback={<div className="chart" />}>
        <Chart points={points} />
      </Suspense>
    </Boundary>
  );
}
