import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { advisory, type Advisory as Data, type AffectedImage } from "../api/advisories";
import { Exploited, Mark, SeverityMark, StatusMark } from "../components/marks";
import { RequestException } from "../components/RequestException";
import { useMay } from "../components/session";
import { bare, percent, plural } from "../lib/format";
import { imagePath } from "../lib/names";
import { date, known } from "../lib/time";
import { Download, titled } from "../ui/controls";
import { Loaded } from "../ui/Fault";
import { Bones, Empty, Facts, Page, Panel } from "../ui/Page";
import { Table, type Column } from "../ui/Table";

export default function Advisory() {
  const { id = "" } = useParams();
  const query = useQuery(advisory(id));
  const may = useMay();
  const [asking, setAsking] = useState(false);
  return (
    <Page
      title={id}
      sub={query.data?.title}
      crumbs={[{ text: "Advisories", to: "/advisories" }]}
      actions={
        <>
          <Download resource="/findings" query={{ id, format: "csv" }}>CSV</Download>
          {may("exception.request") && <Button onClick={() => setAsking(true)}>Make an exception…</Button>}
        </>
      }
    >
      <Loaded query={query} bones={<Bones lines={12} />}>
        {(a) => <Known data={a} />}
      </Loaded>
      {asking && <RequestException start={{ id }} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function Known({ data: a }: { data: Data }) {
  const images = a.images?.items ?? [];
  return (
    <div className="stack">
      <div className="grid">
        <Panel title="Advisory" className={a.packages?.length ? "w6" : "w12"}>
          <Facts items={facts(a)} />
        </Panel>
        {!!a.packages?.length && <Panel title="Packages" className="w6" bare>
          <div style={{ maxHeight: 320, overflowY: "auto" }} tabIndex={0} role="region" aria-label="Packages">
            <ul className="list">
              {(a.packages ?? []).slice(0, 200).map((p, i) => (
                <li key={i} className="rows" style={{ padding: "7px 16px", fontSize: 13, justifyContent: "space-between" }}>
                  <span className="wrap">{p.name} <span className="dim">{p.ecosystem}</span></span>
                  {p.fixed ? <span className="mono good">{p.fixed}</span> : <span className="dim">{titled(p.state ?? "unfixed")}</span>}
                </li>
              ))}
            </ul>
          </div>
        </Panel>}
      </div>
      <div>
        <h2 style={{ fontSize: 16, margin: "0 0 10px" }}>{images.length > 0 ? `Affects ${plural(a.images?.total ?? images.length, "image")}` : "Images"}</h2>
        <Table label="Affected images" columns={columns} rows={images} total={a.images?.total} rowKey={(i) => i.repository + i.digest} height={52}
          empty={<Empty title="No image is affected"><p>None that was scanned and that you may see carries a package that it speaks of.</p></Empty>} />
      </div>
      {a.details && (
        <Panel title="Details">
          <div className="prose">{a.details}</div>
        </Panel>
      )}
    </div>
  );
}

function facts(a: Data): [string, React.ReactNode][] {
  return [
    ["Severity", <span key="s" className="rows"><SeverityMark severity={a.severity} />{a.score ? `CVSS ${a.score}` : ""}{a.kev && <Exploited />}</span>],
    ["Exploited since", a.kev && `${a.kev.added}${a.kev.ransomware ? ", by ransomware" : ""}`],
    ["EPSS", a.epss && `${percent(a.epss.score)} in 30 days, above ${percent(a.epss.percentile)} of all`],
    ["Aliases", a.aliases?.join(", ")],
    ["Records", a.records?.join(", ")],
    ["Weakness", a.cwe?.join(", ")],
    ["Vector", a.vector && <span className="mono">{a.vector}</span>],
    ["Published", known(a.published) ? date(a.published) : ""],
    ["Changed", known(a.modified) ? date(a.modified) : ""],
    ["Withdrawn", known(a.withdrawn) ? <Mark>{date(a.withdrawn)}</Mark> : ""],
    ["References", a.references?.length ? <References urls={a.references} /> : ""],
  ];
}

function References({ urls }: { urls: string[] }) {
  return (
    <>
      {urls.slice(0, 8).map((u) => (
        <div key={u} className="cut">
          {/^https?:\/\//.test(u) ? <a className="sw-link" href={u} target="_blank" rel="noreferrer noopener">{u}</a> : u}
        </div>
      ))}
    </>
  );
}

const columns: Column<AffectedImage>[] = [
  {
    title: "Image", track: "minmax(0, 2.4fr)", cell: (i) => (
      <div className="two">
        <Link className="stretch cut" to={imagePath(i.repository, i.digest)}>{i.repository}{i.tags?.[0] ? `:${i.tags[0]}` : ""}</Link>
        <div className="cut"><span className="mono">{bare(i.digest)}</span>{i.platform ? ` · ${i.platform}` : ""}</div>
      </div>
    ),
  },
  { title: "Verdict", track: "minmax(118px, 1fr)", cell: (i) => <StatusMark status={i.status} /> },
  {
    title: "Package", track: "minmax(0, 1.8fr)", from: 2, cell: (i) => (
      <div className="two">
        <div className="cut">{(i.findings ?? []).map((f) => f.package).join(", ")}</div>
        <div className="cut mono">{i.findings?.[0]?.version}{i.findings?.[0]?.fixedIn ? ` → ${i.findings[0].fixedIn}` : ""}</div>
      </div>
    ),
  },
  { title: "State", track: "110px", from: 2, cell: (i) => titled(i.findings?.[0]?.state ?? "") },
  { title: "Runs in", track: "minmax(0, 1.2fr)", from: 3, cell: (i) => <div className="cut dim">{i.running}</div> },
];
