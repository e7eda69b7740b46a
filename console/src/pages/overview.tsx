import { CheckmarkCircleRegular } from "@fluentui/react-icons/svg/checkmark-circle";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { severities, total, type Counts } from "../api/finding";
import { statuses } from "../api/images";
import { overview, type Attention, type Overview as Data } from "../api/overview";
import { database } from "../api/system";
import { SeverityBar, SeverityMark, StatusMark } from "../components/marks";
import { FirstPush } from "../components/FirstPush";
import { Trend } from "../components/Trend";
import { bytes, count, plural } from "../lib/format";
import { ago, known } from "../lib/time";
import { Loaded } from "../ui/Fault";
import { Bones, Page, Panel } from "../ui/Page";

// What somebody who opens the console in the morning has to know, worst first.
export default function Overview() {
  const query = useQuery(overview());
  return (
    <Page title="Overview">
      <Loaded query={query} bones={<Waiting />}>
        {(o) =>
          o.images === 0 && o.repositories === 0 ? (
            <div className="stack">
              <div className="panel">
                <FirstPush />
              </div>
              <DatabaseFigure data={o} />
            </div>
          ) : (
            <Filled data={o} />
          )
        }
      </Loaded>
    </Page>
  );
}

function Waiting() {
  return (
    <div className="grid">
      {[0, 1, 2, 3].map((i) => (
        <div key={i} className="panel w3 half" style={{ height: 98, padding: 16 }}>
          <Bones lines={2} />
        </div>
      ))}
      <div className="panel w7" style={{ height: 320, padding: 16 }}>
        <Bones lines={8} />
      </div>
      <div className="panel w5" style={{ height: 320, padding: 16 }}>
        <Bones lines={8} />
      </div>
    </div>
  );
}

function Filled({ data: o }: { data: Data }) {
  return (
    <div className="grid">
      <Figure n={count(o.exploited)} text="Exploited findings" sub="known to be used by attackers" to="/findings?exploited=true&state=open" tone={o.exploited > 0 ? "bad" : ""} />
      <Figure n={count(o.overdue)} text="Overdue findings" sub="past the day set by their severity" to="/findings?overdue=true&state=open" tone={o.overdue > 0 ? "warn" : ""} />
      <Figure n={count(o.byStatus?.rejected ?? 0)} text="Rejected images" sub={`of ${plural(o.images, "image")} in ${plural(o.repositories, "repository", "repositories")}`} to="/images?status=rejected" tone={o.byStatus?.rejected ? "bad" : ""} />
      <DatabaseFigure data={o} />
      <Panel title="Needs attention" className="w7" bare>
        <AttentionList items={o.attention ?? []} />
      </Panel>
      <Panel title="Images by verdict" className="w5">
        <ByStatus data={o} />
      </Panel>
      <Panel title="Open findings by day" className="w7">
        <Trend points={o.trend} />
      </Panel>
      <Panel title="Open findings by severity" className="w5">
        <BySeverity counts={o.counts} />
      </Panel>
    </div>
  );
}

function Figure(props: { n: ReactNode; text: string; sub: ReactNode; to: string; tone?: string }) {
  return (
    <div className="panel w3 half">
      <Link className="figure" to={props.to}>
        <div className={`n ${props.tone ?? ""}`}>{props.n}</div>
        <div className="t">{props.text}</div>
        <div className="s">{props.sub}</div>
      </Link>
    </div>
  );
}

function DatabaseFigure({ data: o }: { data: Data }) {
  const status = useQuery(database()).data;
  const { builtAt, starter, records } = o.database;
  const age = known(builtAt) ? ago(builtAt).replace(" ago", "") : "none";
  return (
    <Figure
      n={starter ? "Starter" : age}
      text={starter ? "Advisory database: built-in records only" : "Age of the advisory database"}
      sub={starter ? `${plural(records, "record")}: the full database is fetched in Settings` : status?.stale ? `older than allowed; ${plural(records, "record")}` : plural(records, "record")}
      to="/settings?tab=database"
      tone={starter || status?.stale || age === "none" ? "warn" : ""}
    />
  );
}

function AttentionList({ items }: { items: Attention[] }) {
  if (items.length === 0) {
    return (
      <div className="body row good" style={{ minHeight: 64 }}>
        <CheckmarkCircleRegular fontSize={20} />
        Nothing waits for anybody.
      </div>
    );
  }
  return (
    <ul className="list attention">
      {items.map((a) => (
        <li key={a.kind + a.title}>
          <Link to={a.link || "/"}>
            <SeverityMark severity={a.severity} />
            <span>{a.title}</span>
            <span className="n">{count(a.count)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function ByStatus({ data: o }: { data: Data }) {
  const rows = statuses.filter((s) => s !== "not-scanned" || o.byStatus?.[s]);
  return (
    <ul className="list">
      {rows.map((s) => (
        <li key={s} className="row" style={{ padding: "8px 0", justifyContent: "space-between" }}>
          <Link to={`/images?status=${s}`} style={{ textDecoration: "none" }} aria-label={`Images: ${s}`}>
            <StatusMark status={s} />
          </Link>
          <span className="number">{count(o.byStatus?.[s] ?? 0)}</span>
        </li>
      ))}
      <li className="row dim" style={{ padding: "8px 0", justifyContent: "space-between", fontSize: 13 }}>
        <span>Stored</span>
        <span className="number">{bytes(o.size)}</span>
      </li>
    </ul>
  );
}

function BySeverity({ counts }: { counts: Counts }) {
  if (total(counts) === 0) return <p className="dim">No open findings.</p>;
  return (
    <div className="stack tight">
      <SeverityBar counts={counts} />
      <ul className="list">
        {severities.map((s) => (
          <li key={s} className="row" style={{ padding: "7px 0", justifyContent: "space-between", fontSize: 13 }}>
            <Link to={`/findings?state=open&severity=${s}`} style={{ textDecoration: "none" }}>
              <SeverityMark severity={s} />
            </Link>
            <span className="number">{count(counts[s])}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
