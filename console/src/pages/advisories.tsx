import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { advisories, type Advisory } from "../api/advisories";
import { database } from "../api/system";
import { Exploited, Mark, SeverityMark } from "../components/marks";
import { count } from "../lib/format";
import { date } from "../lib/time";
import { useView } from "../lib/useView";
import { Search } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { Empty, Page } from "../ui/Page";
import { Table, type Column } from "../ui/Table";

const columns: Column<Advisory>[] = [
  { title: "Severity", track: "92px", cell: (a) => <SeverityMark severity={a.severity} /> },
  {
    title: "Advisory", track: "minmax(0, 3fr)", cell: (a) => (
      <div className="two">
        <div className="row cut">
          <Link className="stretch" to={`/advisories/${encodeURIComponent(a.id)}`}>{a.id}</Link>
          {a.kev && <Exploited />}
          {a.withdrawn && <Mark>Withdrawn</Mark>}
        </div>
        <div className="cut">{a.title}</div>
      </div>
    ),
  },
  { title: "Packages", track: "minmax(0, 2fr)", from: 2, cell: (a) => <div className="cut">{[...new Set((a.packages ?? []).map((p) => p.name))].join(", ")}</div> },
  { title: "Published", track: "92px", from: 2, end: true, cell: (a) => date(a.published) },
];

// Search an advisory; its page says which images it affects.
export default function Advisories() {
  const [view, set] = useView({ search: "" });
  const query = useQuery({ ...advisories(view.search), enabled: view.search.length > 1 });
  const status = useQuery(database()).data;
  return (
    <Page title="Advisories" sub={status && `${count(status.database.records)} records in the database${status.database.starter ? ": the built-in starter set only" : ""}`}>
      <div className="bar">
        <Search label="CVE, GHSA or package" value={view.search} onChange={(search) => set({ search })} />
      </div>
      {query.error ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : view.search.length <= 1 ? (
        <div className="panel">
          <Empty title="Which images does an advisory affect?">
            <p>Type an id as CVE-2026-1234 or the name of a package. The answer comes from what is known of every image: nothing is pulled again.</p>
          </Empty>
        </div>
      ) : (
        <Table label="Advisories" columns={columns} rows={query.data?.items} total={query.data?.total} rowKey={(a) => a.id} height={52}
          empty={<Empty title="No advisory matches"><p>The database may be older than the advisory: see Settings, Advisory database.</p></Empty>} />
      )}
    </Page>
  );
}
