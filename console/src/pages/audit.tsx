import { Button, DrawerBody, DrawerHeader, DrawerHeaderTitle, Field, Input, OverlayDrawer } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons/svg/dismiss";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { checkpoint, records, type AuditRecord } from "../api/audit";
import { Mark } from "../components/marks";
import { count } from "../lib/format";
import { dateTime, dayEnd, dayStart } from "../lib/time";
import { useView } from "../lib/useView";
import { Copy, CSV, Download, Search } from "../ui/controls";
import { Fault, Loaded } from "../ui/Fault";
import { Bones, Empty, Facts, Page, Panel } from "../ui/Page";
import { useFocusBack } from "../ui/useFocusBack";
import { paged, Table, type Column } from "../ui/Table";

const initial = { actor: "", action: "", object: "", from: "", to: "", record: "", before: "" };

// Who did what, in the order in which the log holds it.
export default function Audit() {
  const [view, set] = useView(initial);
  const q = { actor: view.actor, action: view.action, object: view.object, from: dayStart(view.from), to: dayEnd(view.to) };
  const options = records(q);
  // A link to one record begins the listing at it.
  const query = useInfiniteQuery({ ...options, queryKey: [...options.queryKey, view.before], initialPageParam: view.before });
  const page = paged(query);
  const open = page.rows?.find((r) => r.id === view.record);
  return (
    <Page
      title="Audit trail"
      sub="Every administrative act, in a log that cannot be changed without being seen"
      actions={
        <>
          <CSV resource="/audit" query={q} />
          <Download resource="/audit/export">Export to verify</Download>
        </>
      }
    >
      <div className="stack">
        <Head />
        <div>
          <div className="bar">
            <Search label="Object, or its beginning and *" value={view.object} onChange={(object) => set({ object, before: "" })} />
            <Text label="Actor" value={view.actor} onChange={(actor) => set({ actor, before: "" })} />
            <Text label="Action" value={view.action} onChange={(action) => set({ action, before: "" })} />
            <Day label="From" value={view.from} onChange={(from) => set({ from, before: "" })} />
            <Day label="To" value={view.to} onChange={(to) => set({ to, before: "" })} />
            {view.before && <Button onClick={() => set({ before: "", record: "" })}>Show the newest</Button>}
          </div>
          {query.error && !query.data ? (
            <Fault fault={query.error} retry={() => void query.refetch()} />
          ) : (
            <Table
              label="Audit records"
              columns={columns((id) => set({ record: id }))}
              {...page}
              rowKey={(r) => r.id}
              height={52}
              empty={
                <Empty title="No record matches">
                  <p>Remove a filter above. An action is written as “image.push”; an object as “team/app*”.</p>
                </Empty>
              }
            />
          )}
        </div>
      </div>
      {open && <Record record={open} onClose={() => set({ record: "" })} />}
    </Page>
  );
}

function Text({ label, value, onChange }: { label: string; value: string; onChange: (v: string) => void }) {
  return (
    <label className="choice">
      <span>{label}</span>
      <Input defaultValue={value} key={value} onBlur={(e) => e.target.value !== value && onChange(e.target.value)} onKeyDown={(e) => e.key === "Enter" && onChange(e.currentTarget.value)} />
    </label>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (v: string) => void }) {
  return (
    <label className="choice">
      <span>{label}</span>
      <Input type="date" value={value} onChange={(_, d) => onChange(d.value)} />
    </label>
  );
}

function Head() {
  const query = useQuery(checkpoint());
  return (
    <Panel title="Head of the log">
      <Loaded query={query} bones={<Bones lines={3} />}>
        {(c) => (
          <Facts
            items={[
              ["Records", <span key="n" className="number">{count(c.size)}{c.pending > 0 && <span className="dim"> and {count(c.pending)} on their way</span>}</span>],
              ["Root", <span key="r" className="row"><span className="mono wrap">{c.root}</span><Copy text={c.note} what="the signed checkpoint" /></span>],
              ["Signed by", <span key="k" className="mono">{c.key.split("+").slice(0, 2).join("+")}</span>],
              ["Verify", <span key="v">Export the log and run <span className="mono">seawall audit verify</span>: it needs no hub.</span>],
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

const tones = { done: "good", intent: "", refused: "warn", failed: "bad" } as const;

const columns = (open: (id: string) => void): Column<AuditRecord>[] => [
  { title: "Log", track: "58px", from: 2, end: true, cell: (r) => (r.index >= 0 ? count(r.index) : <span className="dim">waits</span>) },
  { title: "Time", track: "122px", from: 2, cell: (r) => <span className="number">{dateTime(r.time)}</span> },
  {
    title: "Act", track: "minmax(0, 1.3fr)", cell: (r) => (
      <div className="two">
        <button className="stretch" onClick={() => open(r.id)}>{r.action}</button>
        <div className="cut">{r.reason || r.object.kind}</div>
      </div>
    ),
  },
  {
    title: "Actor", track: "minmax(0, 1.1fr)", cell: (r) => (
      <div className="two">
        <div className="cut">{r.actor.name || r.actor.id}</div>
        <div className="cut">{[r.actor.kind, r.actor.address].filter(Boolean).join(" · ")}</div>
      </div>
    ),
  },
  { title: "Object", track: "minmax(0, 2fr)", from: 2, cell: (r) => <div className="cut" title={r.object.name}>{r.object.name}</div> },
  { title: "Outcome", track: "84px", cell: (r) => <Mark tone={tones[r.outcome]}>{r.outcome}</Mark> },
];

function Record({ record: r, onClose }: { record: AuditRecord; onClose: () => void }) {
  useFocusBack();
  return (
    <OverlayDrawer open position="end" size="medium" onOpenChange={(_, d) => !d.open && onClose()} aria-label={`Record ${r.action}`}>
      <DrawerHeader>
        <DrawerHeaderTitle action={<Button appearance="subtle" aria-label="Close" icon={<DismissRegular />} onClick={onClose} />}>{r.action}</DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody>
        <Facts
          items={[
            ["Outcome", <Mark key="o" tone={tones[r.outcome]}>{r.outcome}</Mark>],
            ["Time", dateTime(r.time)],
            ["Actor", `${r.actor.name || r.actor.id} (${r.actor.kind})`],
            ["From", r.actor.address],
            ["By", r.actor.via ? <span className="mono">{r.actor.via}</span> : ""],
            ["Object", `${r.object.kind} ${r.object.name}`],
            ["Reason", r.reason],
            ...Object.entries(r.detail ?? {}).map(([k, v]): [string, string] => [k, v]),
            ["Place in the log", r.index >= 0 ? count(r.index) : "not in the log yet"],
            ["Record", <span key="i" className="mono">{r.id}</span>],
            ["Outcome of", r.act ? <span className="mono">{r.act}</span> : ""],
            ["Request", r.request ? <span className="mono">{r.request}</span> : ""],
          ]}
        />
        <Field label="As the log holds it" style={{ margin: "16px 0 24px" }}>
          <pre className="text" tabIndex={0}>{JSON.stringify(r, null, 2)}</pre>
        </Field>
      </DrawerBody>
    </OverlayDrawer>
  );
}
