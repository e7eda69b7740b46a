import { Button, Checkbox } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { severities, total, type Severity, type Upgrade } from "../../api/finding";
import { imageFile, imageFindings, type ImageFinding, type ImageFindings, type Manifest } from "../../api/images";
import { plural } from "../../lib/format";
import { useView } from "../../lib/useView";
import { Choice, CSV, Search, titled } from "../../ui/controls";
import { Loaded } from "../../ui/Fault";
import { Bones, Empty, Panel } from "../../ui/Page";
import { Table, type Column } from "../../ui/Table";
import { Due } from "../Due";
import { CountsMark, Exploited, Mark, SeverityMark } from "../marks";
import { FindingPanel } from "./FindingPanel";

/** Findings are the findings of one image, what to do about them first. */
export function Findings({ image: m }: { image: Manifest }) {
  const query = useQuery({ ...imageFindings(m.repository, m.digest), enabled: !!m.scan });
  if (!m.scan) {
    return (
      <div className="panel">
        <Empty title="Not scanned yet">
          <p>{m.status === "received" ? "The scan waits for its turn, or runs: Jobs shows how far it is. The findings appear here." : "Order a scan above."}</p>
        </Empty>
      </div>
    );
  }
  return (
    <Loaded query={query} bones={<Bones lines={12} />}>
      {(data) => <Known image={m} data={data} />}
    </Loaded>
  );
}

function Known({ image: m, data }: { image: Manifest; data: ImageFindings }) {
  const [view, set] = useView({ q: "", severity: "", fix: "", aside: "", finding: "" });
  const rows = useMemo(() => (data.items ?? []).filter((f) => matches(f, view)), [data.items, view]);
  const open = view.finding ? (data.items ?? []).find((f) => rowKey(f) === view.finding) : undefined;
  return (
    <div className="stack">
      <Upgrades upgrades={data.upgrades ?? []} />
      <Gaps data={data} />
      <div>
        <div className="bar">
          <Search label="Advisory, package or path" value={view.q} onChange={(q) => set({ q })} />
          <Choice label="Severity" any="Any" value={view.severity} options={severities.slice(0, 4).map((s): [string, string] => [s, `${titled(s)} and higher`])} onChange={(severity) => set({ severity })} />
          <Checkbox label="With a fix" checked={view.fix === "true"} onChange={(_, d) => set({ fix: d.checked ? "true" : "" })} />
          <Checkbox label="Show set aside" checked={view.aside === "true"} onChange={(_, d) => set({ aside: d.checked ? "true" : "" })} />
          <span className="end">
            <CSV resource={imageFile(m.repository, m.digest, "findings")} query={{ suppressed: true }} />
          </span>
        </div>
        <Table
          label="Findings"
          columns={columns(set)}
          rows={rows}
          rowKey={rowKey}
          height={52}
          total={rows.length}
          empty={<NoFindings data={data} />}
        />
      </div>
      <Imported data={data} />
      {open && <FindingPanel image={m} finding={open} onClose={() => set({ finding: "" })} />}
    </div>
  );
}

function rowKey(f: ImageFinding): string {
  return [f.id, f.package.name, f.package.version, f.layer?.index ?? ""].join("|");
}

function matches(f: ImageFinding, view: { q: string; severity: string; fix: string; aside: string }): boolean {
  if (!view.aside && f.suppressed) return false;
  if (view.fix && !f.fixed) return false;
  if (view.severity && severities.indexOf(f.severity) > severities.indexOf(view.severity as Severity)) return false;
  if (!view.q) return true;
  const q = view.q.toLowerCase();
  return [f.id, f.title ?? "", f.package.name, f.package.sourceName ?? "", ...(f.aliases ?? []), ...(f.paths ?? [])].some((s) => s.toLowerCase().includes(q));
}

const columns = (set: (c: { finding: string }) => void): Column<ImageFinding>[] => [
  { title: "Severity", track: "92px", cell: (f) => <SeverityMark severity={f.severity} /> },
  {
    title: "Finding",
    track: "minmax(0, 2.2fr)",
    cell: (f) => (
      <div className="two">
        <div className="row cut">
          <button className="stretch" onClick={() => set({ finding: rowKey(f) })}>
            {f.id}
          </button>
          {f.kev && <Exploited />}
          {f.suppressed && <Mark>Set aside</Mark>}
          {f.state === "malware" && <Mark tone="bad">Malware</Mark>}
        </div>
        <div className="cut">{f.title || "no title"}</div>
      </div>
    ),
  },
  {
    title: "Package",
    track: "minmax(0, 1.6fr)",
    from: 2,
    cell: (f) => (
      <div className="two">
        <div className="cut">{f.package.name}</div>
        <div className="cut mono">{f.package.version}</div>
      </div>
    ),
  },
  { title: "Fix", track: "minmax(0, 1.2fr)", from: 1, cell: (f) => <Fix finding={f} /> },
  { title: "EPSS", track: "56px", from: 3, end: true, cell: (f) => (f.epss ? `${(f.epss.score * 100).toFixed(1)} %` : "") },
  { title: "Due", track: "100px", from: 3, end: true, cell: (f) => <Due at={f.tracked?.due} /> },
];

function Fix({ finding: f }: { finding: ImageFinding }) {
  if (f.fixed) return <div className="cut mono good" title={f.fixed}>{f.fixed}</div>;
  return <div className="cut dim">{f.state === "fixed" ? "" : titled(f.state)}</div>;
}

function NoFindings({ data }: { data: ImageFindings }) {
  const any = (data.items ?? []).length > 0;
  if (any) {
    return (
      <Empty title="No finding matches">
        <p>Remove a filter above. Findings that were set aside are shown by the box “Show set aside”.</p>
      </Empty>
    );
  }
  const gap = (data.coverage ?? []).some((c) => c.gap) || (data.gaps ?? []).length > 0;
  return (
    <Empty title="No known vulnerability">
      <p>{gap ? "But parts of the image could not be evaluated: see above. What was not evaluated has not passed." : "Every package was compared with the advisory database. New advisories are matched as they arrive, without another scan."}</p>
    </Empty>
  );
}

function Upgrades({ upgrades }: { upgrades: Upgrade[] }) {
  const [all, setAll] = useState(false);
  if (upgrades.length === 0) return null;
  const shown = all ? upgrades : upgrades.slice(0, 4);
  return (
    <Panel title="What to do" bare actions={upgrades.length > 4 && <Button size="small" onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${upgrades.length}`}</Button>}>
      <ul className="list">
        {shown.map((u) => (
          <li key={u.kind + u.package + u.to} className="rows" style={{ padding: "9px 16px", justifyContent: "space-between", fontSize: 14 }}>
            <span className="wrap">
              {u.kind === "base" ? `Take a newer base image${u.package ? ` (${u.package})` : ""}` : `Upgrade ${u.package}`}
              {u.to && (
                <span className="mono">
                  {" "}
                  {u.from} → <span className="good">{u.to}</span>
                </span>
              )}
            </span>
            <span className="row">
              <span className="dim">fixes {plural(total(u.fixes), "finding")}</span>
              <CountsMark counts={u.fixes} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Gaps({ data }: { data: ImageFindings }) {
  const gaps = [
    ...(data.coverage ?? []).filter((c) => c.gap).map((c) => ({ kind: c.gap!, where: c.ecosystem, detail: c.detail ?? "" })),
    ...(data.gaps ?? []),
  ];
  if (gaps.length === 0) return null;
  return (
    <Panel title="Not evaluated" bare>
      <ul className="list">
        {gaps.map((g, i) => (
          <li key={i} className="rows" style={{ padding: "8px 16px", fontSize: 13 }}>
            <Mark tone="warn">{titled(g.kind)}</Mark>
            {g.where && <span className="mono wrap">{g.where}</span>}
            <span className="wrap">{g.detail}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Imported({ data }: { data: ImageFindings }) {
  const rows = data.imported ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title="Said by other scanners only" bare>
      <ul className="list">
        {rows.map((t) => (
          <li key={t.key} className="rows" style={{ padding: "8px 16px", fontSize: 13 }}>
            <SeverityMark severity={t.severity} />
            <Link className="sw-link" to={`/findings/${t.key}`}>
              {t.id}
            </Link>
            <span>
              {t.package} <span className="mono">{t.version}</span>
            </span>
            {t.fixedIn && <span className="good mono">{t.fixedIn}</span>}
            <Mark>{t.source}</Mark>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
