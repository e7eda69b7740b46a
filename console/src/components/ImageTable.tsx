import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { images, type ImagesQuery, type Manifest } from "../api/images";
import { bare, bytes } from "../lib/format";
import { imagePath } from "../lib/names";
import { known } from "../lib/time";
import { Fault } from "../ui/Fault";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { CountsMark, Mark, StatusMark, statusOf } from "./marks";

const columns: Column<Manifest>[] = [
  { title: "Image", track: "minmax(0, 3fr)", sort: "name", cell: (m) => <Name image={m} /> },
  { title: "Verdict", track: "142px", sort: "verdict", cell: (m) => <Verdict image={m} /> },
  { title: "Findings", track: "200px", from: 2, cell: (m) => <Findings image={m} /> },
  { title: "Fixable", track: "56px", from: 3, end: true, cell: (m) => m.scan?.fixable ?? "" },
  { title: "System", track: "minmax(0, 1.2fr)", from: 3, cell: (m) => <System image={m} /> },
  { title: "Size", track: "84px", from: 3, sort: "size", end: true, cell: (m) => bytes(m.size) },
  { title: "Pushed", track: "92px", from: 2, sort: "pushed", end: true, cell: (m) => <Time at={m.pushed} /> },
];

/** kinds are the choices of what to list. */
export const kinds: [string, string][] = [["image", "Images"], ["index", "Indexes"], ["artifact", "Artifacts"], ["all", "All"]];

/** ImageTable lists images that q selects. */
export function ImageTable({ q, sort, onSort, empty }: { q: ImagesQuery; sort: string; onSort: (s: string) => void; empty: ReactNode }) {
  const query = useInfiniteQuery(images({ ...q, sort }));
  if (query.error && !query.data) return <Fault fault={query.error} retry={() => void query.refetch()} />;
  return <Table label="Images" columns={columns} {...paged(query)} rowKey={(m) => m.repository + m.digest} height={52} sort={sort} onSort={onSort} empty={empty} />;
}

function Name({ image: m }: { image: Manifest }) {
  const tags = m.tags ?? [];
  return (
    <div className="two">
      <div className="row cut">
        <Link className="stretch cut" to={imagePath(m.repository, m.digest)}>
          {m.repository}
          {tags[0] ? `:${tags[0]}` : ""}
        </Link>
        {tags.length > 1 && <span className="dim">+{tags.length - 1}</span>}
      </div>
      <div className="cut">
        <span className="mono">{bare(m.digest)}</span>
        {m.kind !== "image" ? ` · ${m.kind}` : m.platform ? ` · ${m.platform}` : ""}
        {tags.length === 0 && " · untagged"}
      </div>
    </div>
  );
}

function Verdict({ image: m }: { image: Manifest }) {
  if (known(m.deleted)) return <Mark tone="warn">Deleted</Mark>;
  const { status, byHand } = statusOf(m);
  return <StatusMark status={status} byHand={byHand} />;
}

function Findings({ image: m }: { image: Manifest }) {
  if (m.scan?.error && !known(m.scan.scanned)) return <span className="warn">Scan failed</span>;
  if (!m.scan) return <span className="dim">{m.kind === "image" ? "not evaluated yet" : "see its images"}</span>;
  return <CountsMark counts={m.scan.counts} />;
}

function System({ image: m }: { image: Manifest }) {
  return <div className="cut dim" title={m.scan?.distro}>{m.scan?.distro?.replace("GNU/Linux ", "").replace(/ \(.*\)$/, "") ?? ""}</div>;
}
