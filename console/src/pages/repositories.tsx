import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { repositories, type Repository } from "../api/repositories";
import { FirstPush } from "../components/FirstPush";
import { CountsMark, Mark } from "../components/marks";
import { bytes, count, plural } from "../lib/format";
import { repositoryPath } from "../lib/names";
import { useView } from "../lib/useView";
import { Choice, CSV, Search } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { Empty, Page } from "../ui/Page";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

const columns: Column<Repository>[] = [
  {
    title: "Repository", track: "minmax(0, 2.4fr)", sort: "name", cell: (r) => (
      <div className="two">
        <Link className="stretch cut" to={repositoryPath(r.name)}>{r.name}</Link>
        <div className="cut">{plural(r.images, "image")}, {plural(r.tags, "tag")}</div>
      </div>
    ),
  },
  { title: "Verdicts", track: "minmax(0, 1.6fr)", sort: "verdict", cell: (r) => <Held repository={r} /> },
  { title: "Findings", track: "200px", from: 2, cell: (r) => <CountsMark counts={r.counts} /> },
  { title: "Size", track: "84px", from: 3, end: true, cell: (r) => bytes(r.size) },
  { title: "Pulled", track: "92px", from: 3, end: true, cell: (r) => <Time at={r.pulled} /> },
  { title: "Pushed", track: "92px", from: 2, sort: "pushed", end: true, cell: (r) => <Time at={r.pushed} /> },
];

function Held({ repository: r }: { repository: Repository }) {
  const n = (s: "rejected" | "quarantined" | "received") => r.byStatus?.[s] ?? 0;
  if (n("rejected") + n("quarantined") + n("received") === 0) return r.images > 0 ? <Mark tone="good">All released</Mark> : <span className="dim">no image</span>;
  return (
    <span className="row cut">
      {n("rejected") > 0 && <Mark tone="bad">{count(n("rejected"))} rejected</Mark>}
      {n("quarantined") > 0 && <Mark tone="warn">{count(n("quarantined"))} held</Mark>}
      {n("received") > 0 && <Mark tone="info">{count(n("received"))} waiting</Mark>}
    </span>
  );
}

export default function Repositories() {
  const [view, set] = useView({ search: "", sort: "name" });
  const query = useInfiniteQuery(repositories(view.search, view.sort));
  return (
    <Page title="Repositories" actions={<CSV resource="/repositories" query={{ search: view.search, sort: view.sort }} />}>
      <div className="bar">
        <Search label="Repository" value={view.search} onChange={(search) => set({ search })} />
        <Choice label="Order" value={view.sort} options={[["name", "Name"], ["verdict", "Worst first"], ["pushed", "Newest push"]]} onChange={(sort) => set({ sort })} />
      </div>
      {query.error && !query.data ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : (
        <Table label="Repositories" columns={columns} {...paged(query)} rowKey={(r) => r.name} height={52} sort={view.sort} onSort={(sort) => set({ sort })}
          empty={view.search ? <Empty title="No repository matches"><p>Search for another part of its name.</p></Empty> : <FirstPush />} />
      )}
    </Page>
  );
}
