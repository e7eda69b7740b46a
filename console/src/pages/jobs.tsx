import { Button } from "@fluentui/react-components";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { cancelJob, jobCounts, jobs, jobStates, retryJob, type Job, type JobCount } from "../api/jobs";
import { Mark } from "../components/marks";
import { useMay } from "../components/session";
import { count } from "../lib/format";
import { ago, known } from "../lib/time";
import { useView } from "../lib/useView";
import { Choice, CSV, Search, titled } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { Empty, Page } from "../ui/Page";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { useAct } from "../ui/useAct";

const tones = { waiting: "", running: "info", done: "good", failed: "bad", cancelled: "warn" } as const;

// The queue: what waits, what runs, what failed.
export default function Jobs() {
  const [view, set] = useView({ kind: "", state: "", key: "" });
  const query = useInfiniteQuery(jobs(view));
  const counts = useQuery(jobCounts());
  const kinds = [...new Set((counts.data?.items ?? []).map((c) => c.kind))].sort();
  return (
    <Page title="Jobs" sub="Scans, imports, collections and notifications" actions={<CSV resource="/jobs" query={view} />}>
      <Counts items={counts.data?.items} chosen={view.state} choose={(state) => set({ state })} />
      <div className="bar">
        <Search label="What it is about, exactly" value={view.key} onChange={(key) => set({ key })} />
        <Choice label="Kind" any="Any" value={view.kind} options={kinds} onChange={(kind) => set({ kind })} />
        <Choice label="State" any="Any" value={view.state} options={jobStates} onChange={(state) => set({ state })} />
      </div>
      {query.error && !query.data ? <Fault fault={query.error} retry={() => void query.refetch()} /> : (
        <Table label="Jobs" plain columns={useColumns()} {...paged(query)} rowKey={(j) => j.id} height={52}
          empty={<Empty title="No job matches"><p>Jobs appear as images are pushed, imported and collected.</p></Empty>} />
      )}
    </Page>
  );
}

function Counts({ items, chosen, choose }: { items?: JobCount[]; chosen: string; choose: (s: string) => void }) {
  const sum = (state: string) => (items ?? []).filter((c) => c.state === state).reduce((n, c) => n + c.count, 0);
  const oldest = (items ?? []).filter((c) => c.state === "waiting" && known(c.oldest)).map((c) => c.oldest!).sort()[0];
  return (
    <div className="rows" style={{ marginBottom: 14, minHeight: 34 }}>
      {jobStates.map((s) => (
        <Button key={s} size="small" appearance={chosen === s ? "primary" : "secondary"} aria-pressed={chosen === s} onClick={() => choose(chosen === s ? "" : s)}>
          {titled(s)} {count(sum(s))}
        </Button>
      ))}
      {oldest && <span className="dim">the oldest waits since {ago(oldest)}</span>}
    </div>
  );
}

function useColumns(): Column<Job>[] {
  const may = useMay()("job.write");
  const cancel = useAct((id: number) => cancelJob(id), "The job is cancelled", "/jobs");
  const retry = useAct((id: number) => retryJob(id), "The job waits for its turn", "/jobs");
  return [
    { title: "Kind", track: "84px", cell: (j) => <div className="two"><div>{titled(j.kind)}</div><div className="cut number">{j.id}</div></div> },
    { title: "About", track: "minmax(0, 2.4fr)", cell: (j) => <div className="two"><div className="cut" title={j.key}>{j.key}</div><div className={`cut ${j.error ? "bad" : ""}`} title={j.error || j.progress}>{j.state === "running" ? j.progress || "running" : j.error || `asked for by ${j.by.name || j.by.id}`}</div></div> },
    { title: "State", track: "96px", cell: (j) => <Mark tone={tones[j.state]}>{titled(j.state)}</Mark> },
    { title: "Tries", track: "56px", from: 2, end: true, cell: (j) => `${j.attempts}/${j.maxAttempts}` },
    { title: "When", track: "110px", from: 2, end: true, cell: (j) => <Time at={known(j.finished) ? j.finished : j.state === "waiting" ? j.runAt : j.started} never="not yet" /> },
    {
      title: "Act", track: "92px", from: 2, end: true, cell: (j) =>
        may && (j.state === "waiting" || j.state === "running" ? <Button size="small" onClick={() => cancel.mutate(j.id)}>Cancel</Button>
          : j.state === "failed" || j.state === "cancelled" ? <Button size="small" onClick={() => retry.mutate(j.id)}>Retry</Button> : null),
    },
  ];
}
