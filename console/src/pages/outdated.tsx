import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { outdated, type Outdated as Row } from "../api/system";
import { CountsMark, Mark } from "../components/marks";
import { bare } from "../lib/format";
import { imagePath } from "../lib/names";
import { useView } from "../lib/useView";
import { Choice, Download, titled } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { Empty, Page } from "../ui/Page";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

const reasons = ["base-behind", "age", "fix-available", "not-scanned", "end-of-life"];

const columns: Column<Row>[] = [
  {
    title: "Image", track: "minmax(0, 2fr)", cell: (o) => (
      <div className="two">
        <Link className="stretch cut" to={imagePath(o.repository, o.digest)}>{o.repository}{o.tags?.[0] ? `:${o.tags[0]}` : ""}</Link>
        <div className="cut"><span className="mono">{bare(o.digest)}</span>{o.baseName ? ` · on ${o.baseName}` : ""}</div>
      </div>
    ),
  },
  { title: "Why", track: "minmax(0, 2fr)", cell: (o) => <span className="row cut">{(o.reasons ?? []).map((r) => <span key={r.kind} title={r.message} className="above"><Mark tone="warn">{titled(r.kind)}</Mark></span>)}</span> },
  { title: "Findings", track: "200px", from: 2, cell: (o) => <CountsMark counts={o.counts} /> },
  { title: "Fixable", track: "60px", from: 3, end: true, cell: (o) => o.fixable },
  { title: "Created", track: "112px", from: 3, end: true, cell: (o) => <Time at={o.created} never="unknown" /> },
  { title: "Scanned", track: "92px", from: 2, end: true, cell: (o) => <Time at={o.scanned} /> },
];

// Images that should be built anew, and why.
export default function Outdated() {
  const [view, set] = useView({ reason: "" });
  const query = useQuery(outdated(view.reason));
  return (
    <Page title="Out of date" sub="Images that should be built or scanned anew" actions={<Download resource="/reports/outdated.csv" query={{ reason: view.reason }}>CSV</Download>}>
      <div className="bar">
        <Choice label="Because" any="Any reason" value={view.reason} options={reasons} onChange={(reason) => set({ reason })} />
      </div>
      {query.error && !query.data ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : (
        <Table label="Images out of date" columns={columns} rows={query.data?.items} total={query.data?.total} rowKey={(o) => o.repository + o.digest} height={52}
          empty={<Empty title="Every image is up to date"><p>An image comes here when its base has a newer version, when it is old, when a fix is available, or when nothing scanned it. Settings says how old is old.</p></Empty>} />
      )}
    </Page>
  );
}
