import { Checkbox } from "@fluentui/react-components";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { severities } from "../api/finding";
import { findings, findingStates, type Tracked } from "../api/findings";
import { Due } from "../components/Due";
import { Exploited, Mark, SeverityMark } from "../components/marks";
import { plural } from "../lib/format";
import { repositoryPath } from "../lib/names";
import { useView } from "../lib/useView";
import { Choice, CSV, Search, titled } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { Empty, Page } from "../ui/Page";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

const columns: Column<Tracked>[] = [
  { title: "Severity", track: "92px", cell: (t) => <SeverityMark severity={t.severity} /> },
  {
    title: "Finding", track: "minmax(0, 2.6fr)", cell: (t) => (
      <div className="two">
        <div className="row cut">
          <Link className="stretch" to={`/findings/${t.key}`}>{t.id}</Link>
          {t.exploited && <Exploited />}
          {t.source !== "seawall" && <Mark>{t.source}</Mark>}
        </div>
        <div className="cut">{t.title || titled(t.type)}</div>
      </div>
    ),
  },
  {
    title: "Package", track: "minmax(0, 1.4fr)", from: 2, cell: (t) => (
      <div className="two">
        <div className="cut">{t.package}</div>
        <div className="cut mono">{t.version}{t.fixedIn ? ` → ${t.fixedIn}` : ""}</div>
      </div>
    ),
  },
  { title: "Repository", track: "minmax(0, 1.4fr)", cell: (t) => <div className="two"><Link className="cut above sw-link" to={repositoryPath(t.repository)}>{t.repository}</Link><div className="cut">{plural(t.digests?.length ?? 0, "image")}</div></div> },
  { title: "State", track: "92px", from: 2, cell: (t) => <Mark tone={t.state === "open" ? "" : t.state === "fixed" ? "good" : "info"}>{titled(t.state)}</Mark> },
  { title: "First seen", track: "92px", from: 3, end: true, cell: (t) => <Time at={t.firstSeen} /> },
  { title: "Due", track: "92px", from: 3, end: true, cell: (t) => (t.state === "open" ? <Due at={t.due} /> : "") },
  { title: "Owner", track: "minmax(0, 0.7fr)", from: 3, cell: (t) => <div className="cut">{t.owner}</div> },
];

const initial = { search: "", repository: "", state: "open", severity: "", type: "", overdue: "", exploited: "", fixable: "", owner: "" };

// Findings over time: one for each advisory and package of a repository, however often it is rebuilt.
export default function Findings() {
  const [view, set] = useView(initial);
  const q = { ...view, state: view.state === "all" ? "" : view.state, overdue: view.overdue === "true", exploited: view.exploited === "true", fixable: view.fixable === "true" };
  const query = useInfiniteQuery(findings(q));
  const box = (label: string, name: "overdue" | "exploited" | "fixable") => <Checkbox label={label} checked={view[name] === "true"} onChange={(_, d) => set({ [name]: d.checked ? "true" : "" })} />;
  return (
    <Page title="Findings" sub={view.repository && `in ${view.repository}`} actions={<CSV resource="/findings" query={q} />}>
      <div className="bar">
        <Search label="Advisory, package, repository" value={view.search} onChange={(search) => set({ search })} />
        <Choice label="State" value={view.state} options={[...findingStates, ["all", "All"]]} onChange={(state) => set({ state })} />
        <Choice label="Severity" any="Any" value={view.severity} options={severities.map((s): [string, string] => [s, s === "critical" ? "Critical" : s === "unknown" ? "Unknown and higher" : `${titled(s)} and higher`])} onChange={(severity) => set({ severity })} />
        <Choice label="Type" any="Any" value={view.type} options={["vulnerability", "secret", "check"]} onChange={(type) => set({ type })} />
        {box("Overdue", "overdue")}
        {box("Exploited", "exploited")}
        {box("With a fix", "fixable")}
        {view.repository && <button className="sw-link" style={{ background: "none", border: 0, cursor: "pointer", padding: 6 }} onClick={() => set({ repository: "" })}>In all repositories</button>}
      </div>
      {query.error && !query.data ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : (
        <Table label="Findings" columns={columns} {...paged(query)} rowKey={(t) => t.key} height={52}
          empty={<Empty title="No finding matches"><p>{view.state === "open" && !view.search ? "Nothing is open with these filters. Findings appear as images are scanned and as advisories arrive." : "Remove a filter above."}</p></Empty>} />
      )}
    </Page>
  );
}
