import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Check, Executable, Package, Secret } from "../../api/finding";
import {
  imageChecks, imageExecutables, imageFile, imageLayers, imagePackages, imageSecrets, type ImageLayer, type Manifest,
} from "../../api/images";
import { bytes, mode, short } from "../../lib/format";
import { useView } from "../../lib/useView";
import { CSV, Search } from "../../ui/controls";
import { Fault, Loaded } from "../../ui/Fault";
import { Bones, Empty } from "../../ui/Page";
import { paged, Table, type Column } from "../../ui/Table";
import { CountsMark, Mark, SeverityMark } from "../marks";
import { useState } from "react";
import { Button } from "@fluentui/react-components";
import { RequestException, type Start } from "../RequestException";
import { useMay } from "../session";

// The parts of an image beside its findings: one table each.

const notYet = (
  <Empty title="Not scanned yet">
    <p>This is known once the image was scanned.</p>
  </Empty>
);

const packageColumns: Column<Package>[] = [
  {
    title: "Package", track: "minmax(0, 2fr)", cell: (p) => (
      <div className="two">
        <div className="cut">{p.name}</div>
        <div className="cut">{p.sourceName && p.sourceName !== p.name ? `from ${p.sourceName}` : p.ownedBy ? `installed by ${p.ownedBy}` : p.type}</div>
      </div>
    ),
  },
  { title: "Version", track: "minmax(0, 1.4fr)", cell: (p) => <div className="cut mono" title={p.version}>{p.version}</div> },
  { title: "Ecosystem", track: "minmax(0, 1fr)", from: 2, cell: (p) => <div className="cut">{p.ecosystem || p.type}</div> },
  { title: "Licences", track: "minmax(0, 1.2fr)", from: 3, cell: (p) => <div className="cut" title={p.licenses?.join(", ")}>{p.licenses?.join(", ")}</div> },
  { title: "Layer", track: "60px", from: 3, end: true, cell: (p) => (p.layer ? `${p.layer.index}${p.layer.base ? " base" : ""}` : "") },
  { title: "Read from", track: "minmax(0, 1.6fr)", from: 3, cell: (p) => <div className="cut mono" title={p.path}>{p.path}</div> },
];

/** Packages lists what is installed. */
export function Packages({ image: m }: { image: Manifest }) {
  const [view, set] = useView({ q: "" });
  const query = useInfiniteQuery({ ...imagePackages(m.repository, m.digest, view.q), enabled: !!m.scan });
  if (!m.scan) return <div className="panel">{notYet}</div>;
  if (query.error && !query.data) return <Fault fault={query.error} />;
  return (
    <>
      <div className="bar">
        <Search label="Package" value={view.q} onChange={(q) => set({ q })} />
        <span className="end">
          <CSV resource={imageFile(m.repository, m.digest, "packages")} />
        </span>
      </div>
      <Table label="Packages" plain columns={packageColumns} {...paged(query)} rowKey={(p) => [p.type, p.name, p.version, p.path, p.arch].join("|")}
        empty={<Empty title="No package"><p>{view.q ? "None matches." : "No package database and no package was found: the image may hold a single program. See Executables."}</p></Empty>} />
    </>
  );
}

const executableColumns: Column<Executable>[] = [
  { title: "Path", track: "minmax(0, 2.4fr)", cell: (x) => <div className="cut mono" title={`/${x.path}`}>/{x.path}</div> },
  {
    title: "Rights", track: "minmax(64px, 130px)", cell: (x) => (
      <span className="row"><span className="mono">{mode(x.mode)}</span>{(x.mode & 0o6000) !== 0 && <Mark tone="warn">setuid</Mark>}</span>
    ),
  },
  { title: "Owner", track: "minmax(0, 1fr)", from: 2, cell: (x) => (x.owner ? <div className="cut">{x.owner}</div> : <span className="dim">no package</span>) },
  { title: "Kind", track: "minmax(0, 1fr)", from: 3, cell: (x) => <div className="cut">{x.script ? `script (${x.interpreter})` : "ELF"}</div> },
  { title: "Capabilities", track: "minmax(0, 1fr)", from: 3, cell: (x) => <div className="cut mono">{x.capabilities?.join(", ")}</div> },
  { title: "Size", track: "84px", from: 2, end: true, cell: (x) => bytes(x.size) },
  { title: "SHA-256", track: "120px", from: 3, cell: (x) => <span className="mono" title={x.sha256}>{x.sha256.slice(0, 12)}</span> },
];

/** Executables lists every file that the kernel can start. */
export function Executables({ image: m }: { image: Manifest }) {
  const [view, set] = useView({ q: "" });
  const query = useInfiniteQuery({ ...imageExecutables(m.repository, m.digest, view.q), enabled: !!m.scan });
  if (!m.scan) return <div className="panel">{notYet}</div>;
  if (query.error && !query.data) return <Fault fault={query.error} />;
  return (
    <>
      <div className="bar">
        <Search label="Path" value={view.q} onChange={(q) => set({ q })} />
        <span className="end">
          <CSV resource={imageFile(m.repository, m.digest, "executables")} />
        </span>
      </div>
      <Table label="Executables" plain columns={executableColumns} {...paged(query)} rowKey={(x) => x.path} height={40}
        empty={<Empty title="No executable"><p>{view.q ? "None matches." : "No file of this image can be started."}</p></Empty>} />
    </>
  );
}

/** Secrets lists credentials in the image; their values are masked and were never stored. */
export function Secrets({ image: m }: { image: Manifest }) {
  const query = useQuery({ ...imageSecrets(m.repository, m.digest), enabled: !!m.scan });
  const ask = useAsk(m);
  const columns: Column<Secret>[] = [
    { title: "Severity", track: "92px", cell: (s) => <SeverityMark severity={s.severity} /> },
    { title: "Secret", track: "minmax(0, 1.6fr)", cell: (s) => <div className="two"><div className="row cut"><span className="cut">{s.title}</span>{s.suppressed && <Mark>Set aside</Mark>}</div><div className="cut mono">{s.masked}</div></div> },
    { title: "Where", track: "minmax(0, 1.8fr)", from: 2, cell: (s) => <div className="two"><div className="cut mono">{s.path ? `/${s.path}${s.line ? `:${s.line}` : ""}` : s.where}</div><div className="cut">{s.deleted ? "deleted later, but its layer still carries it" : s.layer ? `layer ${s.layer.index}` : ""}</div></div> },
    { title: "Rule", track: "minmax(0, 1fr)", from: 3, cell: (s) => <span className="mono">{s.rule}</span> },
    { title: "Act", track: "104px", from: 2, end: true, cell: (s) => ask.button({ id: s.rule, path: s.path }, !!s.suppressed) },
  ];
  if (!m.scan) return <div className="panel">{notYet}</div>;
  return (
    <Loaded query={query} bones={<Bones lines={6} />}>
      {(list) => (
        <>
          <Table label="Secrets" plain columns={columns} rows={list.items} total={list.total} rowKey={(s) => [s.rule, s.path, s.where, s.line, s.masked].join("|")} height={52}
            empty={<Empty title="No secret found"><p>Files of every layer, the environment, labels and the history were looked at.</p></Empty>} />
          {ask.dialog}
        </>
      )}
    </Loaded>
  );
}

/** Checks lists the configuration checks that failed, with what to do. */
export function Checks({ image: m }: { image: Manifest }) {
  const query = useQuery({ ...imageChecks(m.repository, m.digest), enabled: !!m.scan });
  const ask = useAsk(m);
  if (!m.scan) return <div className="panel">{notYet}</div>;
  return (
    <Loaded query={query} bones={<Bones lines={6} />}>
      {(list) =>
        list.items.length === 0 ? (
          <div className="panel">
            <Empty title="Every check passed">
              <p>User, environment, ports, rights of files and the like are as they should be.</p>
            </Empty>
          </div>
        ) : (
          <div className="panel">
            <ul className="list">{list.items.map((c) => <CheckRow key={c.id + (c.paths?.[0] ?? "")} check={c} act={ask.button({ id: c.id }, !!c.suppressed)} />)}</ul>
            {ask.dialog}
          </div>
        )
      }
    </Loaded>
  );
}

function CheckRow({ check: c, act }: { check: Check; act: React.ReactNode }) {
  return (
    <li style={{ padding: "12px 16px", fontSize: 14, lineHeight: "20px" }} className="stack tight">
      <div className="rows" style={{ justifyContent: "space-between" }}>
        <span className="rows">
          <SeverityMark severity={c.severity} />
          <strong>{c.title}</strong>
          <span className="mono dim">{c.id}</span>
          {c.suppressed && <Mark>Set aside</Mark>}
        </span>
        {act}
      </div>
      <p className="wrap">{c.detail}</p>
      <p className="wrap dim">To fix: {c.fix}</p>
      {c.paths && <p className="mono wrap">{c.paths.slice(0, 20).map((p) => `/${p}`).join("  ")}{c.paths.length > 20 ? `  and ${c.paths.length - 20} more` : ""}</p>}
    </li>
  );
}

/** Layers lists the layers with what each brought. */
export function Layers({ image: m }: { image: Manifest }) {
  const query = useQuery({ ...imageLayers(m.repository, m.digest), enabled: !!m.scan });
  const columns: Column<ImageLayer>[] = [
    { title: "No.", track: "36px", end: true, cell: (l) => l.index },
    { title: "Made by", track: "minmax(0, 3fr)", cell: (l) => <div className="two"><div className="cut mono" title={l.createdBy}>{l.createdBy || "unknown"}</div><div className="cut mono">{short(l.digest || l.diffId)}</div></div> },
    { title: "From", track: "84px", from: 2, cell: (l) => (l.base ? <Mark>Base</Mark> : <Mark tone="info">Yours</Mark>) },
    { title: "Findings", track: "200px", from: 2, cell: (l) => <CountsMark counts={l.counts} /> },
    { title: "Packages", track: "70px", from: 3, end: true, cell: (l) => l.packages },
    { title: "Secrets", track: "60px", from: 3, end: true, cell: (l) => (l.secrets ? <span className="bad">{l.secrets}</span> : 0) },
    { title: "Size", track: "84px", end: true, cell: (l) => bytes(l.size) },
  ];
  if (!m.scan) return <div className="panel">{notYet}</div>;
  return (
    <Loaded query={query} bones={<Bones lines={8} />}>
      {(list) => <Table label="Layers" plain columns={columns} rows={list.items} total={list.total} rowKey={(l) => l.index} height={52} empty={<Empty title="No layer with content" />} />}
    </Loaded>
  );
}

// useAsk is the way from a secret or check to an exception.
function useAsk(m: Manifest) {
  const may = useMay();
  const [start, setStart] = useState<Start>();
  return {
    button: (s: Start, done: boolean) =>
      may("exception.request", m.repository) && !done ? (
        <Button size="small" onClick={() => setStart({ ...s, repositories: m.repository })}>
          Exception…
        </Button>
      ) : null,
    dialog: start && <RequestException start={start} onClose={() => setStart(undefined)} />,
  };
}
