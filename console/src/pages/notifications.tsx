import { Button, Checkbox, Field, Input, Select } from "@fluentui/react-components";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { severities, type Severity } from "../api/finding";
import {
  changeNotifyRule, changeTarget, createNotifyRule, createTarget, deleteNotifyRule, deleteTarget, deliveries, forms, notifyRules, targets, testTarget,
  type Delivery, type NotifyRule, type Target,
} from "../api/notify";
import { Mark, SeverityMark } from "../components/marks";
import { useMay } from "../components/session";
import { plural } from "../lib/format";
import { useView } from "../lib/useView";
import { Tabs, titled } from "../ui/controls";
import { Fault, Loaded } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Bones, Empty, Page } from "../ui/Page";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { useAct, useRefresh } from "../ui/useAct";

type Dialog = { what: "target"; target?: Target } | { what: "rule"; rule?: NotifyRule } | { what: "drop"; name: string; drop: () => Promise<unknown> };

// Who is told of what, and whether it arrived.
export default function Notifications() {
  const [view, set] = useView({ tab: "targets" });
  const may = useMay()("notify.write");
  const [dialog, setDialog] = useState<Dialog>();
  const close = () => setDialog(undefined);
  const refresh = useRefresh();
  return (
    <Page
      title="Notifications"
      actions={may && (
        <>
          <Button onClick={() => setDialog({ what: "rule" })}>New rule…</Button>
          <Button appearance="primary" onClick={() => setDialog({ what: "target" })}>New target…</Button>
        </>
      )}
    >
      <Tabs label="Parts" value={view.tab} tabs={[["targets", "Targets"], ["rules", "Rules"], ["log", "Deliveries"]]} onChange={(tab) => set({ tab })} />
      {view.tab === "targets" && <Targets act={setDialog} />}
      {view.tab === "rules" && <Rules act={setDialog} />}
      {view.tab === "log" && <Log />}
      {dialog?.what === "target" && <TargetForm target={dialog.target} onClose={close} />}
      {dialog?.what === "rule" && <RuleForm rule={dialog.rule} onClose={close} />}
      {dialog?.what === "drop" && (
        <FormDialog title={`Delete ${dialog.name}`} submit="Delete" danger done="Deleted" onClose={close} onSubmit={async () => { await dialog.drop(); await refresh("/notify"); }}>
          <p>Nobody is told by it any more. Deliveries that were made stay in the log.</p>
        </FormDialog>
      )}
    </Page>
  );
}

function Targets({ act }: { act: (d: Dialog) => void }) {
  const query = useQuery(targets());
  const may = useMay()("notify.write");
  const test = useAct((id: number) => testTarget(id), "The target took the test message", "/notify");
  const columns: Column<Target>[] = [
    { title: "Target", track: "minmax(0, 1.4fr)", cell: (t) => <div className="two">{may ? <button className="stretch" onClick={() => act({ what: "target", target: t })}>{t.name}</button> : <span>{t.name}</span>}<div className="cut">{titled(t.form)}</div></div> },
    { title: "Where", track: "minmax(0, 2fr)", from: 2, cell: (t) => <div className="cut mono">{t.form === "email" && t.to?.length ? t.to.join(", ") : t.url}</div> },
    { title: "Secret", track: "90px", from: 2, cell: (t) => (t.hasSecret ? "stored" : <span className="dim">none</span>) },
    { title: "Act", track: "170px", end: true, cell: (t) => may && <span className="row above"><Button size="small" disabled={test.isPending} onClick={() => test.mutate(t.id)}>Test</Button><Button size="small" onClick={() => act({ what: "drop", name: t.name, drop: () => deleteTarget(t.id) })}>Delete…</Button></span> },
  ];
  return (
    <Loaded query={query} bones={<Bones />}>
      {(l) => <Table label="Targets" columns={columns} rows={l.items} total={l.total} rowKey={(t) => t.id} height={52} plain={!may} empty={<Empty title="Nobody is told yet"><p>A target is where messages go: a webhook, e-mail, syslog, Slack or Teams. A rule then says what it is told.</p></Empty>} />}
    </Loaded>
  );
}

function Rules({ act }: { act: (d: Dialog) => void }) {
  const query = useQuery(notifyRules());
  const names = new Map((useQuery(targets()).data?.items ?? []).map((t) => [t.id, t.name]));
  const may = useMay()("notify.write");
  const columns: Column<NotifyRule>[] = [
    { title: "Rule", track: "minmax(0, 1.4fr)", cell: (r) => <div className="two"><span className="row cut">{may ? <button className="stretch" onClick={() => act({ what: "rule", rule: r })}>{r.name}</button> : r.name}{r.disabled && <Mark>Off</Mark>}</span><div className="cut">tells {names.get(r.target) ?? r.target}</div></div> },
    { title: "Of", track: "minmax(0, 1.6fr)", from: 2, cell: (r) => <div className="cut">{r.kinds?.join(", ") || "everything"}</div> },
    { title: "From", track: "100px", cell: (r) => <SeverityMark severity={r.severity} /> },
    { title: "In", track: "minmax(0, 1fr)", from: 2, cell: (r) => <div className="cut mono">{r.repositories || "**"}</div> },
    { title: "Gathered", track: "84px", from: 3, cell: (r) => (r.digest ? `${r.digest} min` : "at once") },
    { title: "Act", track: "84px", from: 2, end: true, cell: (r) => may && <Button className="above" size="small" onClick={() => act({ what: "drop", name: r.name, drop: () => deleteNotifyRule(r.id) })}>Delete…</Button> },
  ];
  return (
    <Loaded query={query} bones={<Bones />}>
      {(l) => <Table label="Rules" columns={columns} rows={l.items} total={l.total} rowKey={(r) => r.id} height={52} plain={!may} empty={<Empty title="No rule yet"><p>Make a target first, then a rule that says what it is told: newly affected images, rejected ones, failed scans.</p></Empty>} />}
    </Loaded>
  );
}

function Log() {
  const query = useInfiniteQuery(deliveries());
  const columns: Column<Delivery>[] = [
    { title: "Message", track: "minmax(0, 2.4fr)", cell: (d) => <div className="two"><div className="cut">{d.events?.[0]?.title ?? ""}</div><div className={`cut ${d.error ? "bad" : ""}`}>{d.error || ((d.events?.length ?? 0) > 1 ? plural(d.events!.length, "event") : d.events?.[0]?.kind)}</div></div> },
    { title: "State", track: "90px", cell: (d) => <Mark tone={d.state === "sent" ? "good" : d.state === "failed" ? "bad" : ""}>{titled(d.state)}</Mark> },
    { title: "Tries", track: "50px", from: 2, end: true, cell: (d) => d.attempts },
    { title: "Made", track: "100px", from: 2, end: true, cell: (d) => <Time at={d.created} /> },
    { title: "Sent", track: "100px", from: 2, end: true, cell: (d) => <Time at={d.sent} never="not yet" /> },
  ];
  if (query.error && !query.data) return <Fault fault={query.error} retry={() => void query.refetch()} />;
  return <Table label="Deliveries" plain columns={columns} {...paged(query)} rowKey={(d) => d.id} height={52} empty={<Empty title="Nothing was sent yet"><p>Test a target to see it here.</p></Empty>} />;
}

function TargetForm({ target, onClose }: { target?: Target; onClose: () => void }) {
  const [v, setV] = useState({ name: target?.name ?? "", form: target?.form ?? "webhook", url: target?.url ?? "", to: target?.to?.join(", ") ?? "", secret: "" });
  const set = (change: Partial<typeof v>) => setV({ ...v, ...change });
  const refresh = useRefresh();
  const hints: Record<string, string> = {
    webhook: "https://…; the body is JSON", email: "smtp://user@host:587 or smtps://", syslog: "udp://, tcp:// or tls://host:port",
    slack: "The URL of an incoming webhook", teams: "The URL of an incoming webhook or workflow",
  };
  return (
    <FormDialog title={target ? "Target" : "New target"} submit="Save" done="The target is saved" ready={v.name.trim() !== "" && v.url.trim() !== ""} onClose={onClose}
      onSubmit={async () => {
        const input = { name: v.name.trim(), form: v.form, url: v.url.trim(), to: v.form === "email" ? v.to.split(/[,\s]+/).filter(Boolean) : undefined, secret: v.secret || undefined };
        await (target ? changeTarget(target.id, input) : createTarget(input));
        await refresh("/notify");
      }}>
      <div className="pair">
        <Field label="Name" required><Input value={v.name} onChange={(_, d) => set({ name: d.value })} /></Field>
        <Field label="Form" required><Select value={v.form} onChange={(_, d) => set({ form: d.value as Target["form"] })}>{forms.map((f) => <option key={f} value={f}>{titled(f)}</option>)}</Select></Field>
      </div>
      <Field label="URL" hint={hints[v.form]} required><Input value={v.url} onChange={(_, d) => set({ url: d.value })} /></Field>
      {v.form === "email" && <Field label="To" hint="Addresses, separated by commas" required><Input value={v.to} onChange={(_, d) => set({ to: d.value })} /></Field>}
      <Field label={v.form === "email" ? "Password" : "Secret"} hint={target?.hasSecret ? "One is stored; empty keeps it" : v.form === "webhook" ? "Messages are signed with it" : undefined}>
        <Input type="password" autoComplete="off" value={v.secret} onChange={(_, d) => set({ secret: d.value })} />
      </Field>
    </FormDialog>
  );
}

function RuleForm({ rule, onClose }: { rule?: NotifyRule; onClose: () => void }) {
  const list = useQuery(targets()).data?.items ?? [];
  const [v, setV] = useState({ name: rule?.name ?? "", target: String(rule?.target ?? ""), kinds: rule?.kinds?.join(", ") ?? "", severity: rule?.severity ?? ("high" as Severity), repositories: rule?.repositories ?? "", digest: String(rule?.digest ?? 0), disabled: rule?.disabled ?? false });
  const set = (change: Partial<typeof v>) => setV({ ...v, ...change });
  const refresh = useRefresh();
  return (
    <FormDialog title={rule ? "Rule" : "New rule"} submit="Save" done="The rule is saved" ready={v.name.trim() !== "" && v.target !== ""} onClose={onClose}
      onSubmit={async () => {
        const input: NotifyRule = { id: rule?.id ?? 0, name: v.name.trim(), target: Number(v.target), kinds: v.kinds.split(/[,\s]+/).filter(Boolean), severity: v.severity, repositories: v.repositories.trim() || undefined, digest: Number(v.digest) || undefined, disabled: v.disabled || undefined };
        await (rule ? changeNotifyRule(input) : createNotifyRule(input));
        await refresh("/notify");
      }}>
      <div className="pair">
        <Field label="Name" required><Input value={v.name} onChange={(_, d) => set({ name: d.value })} /></Field>
        <Field label="Tells" required>
          <Select value={v.target} onChange={(_, d) => set({ target: d.value })}>
            <option value="">Choose a target</option>
            {list.map((t) => <option key={t.id} value={t.id}>{t.name}</option>)}
          </Select>
        </Field>
        <Field label="Of" hint="newly-affected, image.*, scan.failed; empty: everything"><Input value={v.kinds} onChange={(_, d) => set({ kinds: d.value })} /></Field>
        <Field label="From severity"><Select value={v.severity} onChange={(_, d) => set({ severity: d.value as Severity })}>{severities.map((s) => <option key={s} value={s}>{titled(s)}</option>)}</Select></Field>
        <Field label="Repositories" hint="team/*; empty: all"><Input value={v.repositories} onChange={(_, d) => set({ repositories: d.value })} /></Field>
        <Field label="Gather for" hint="minutes; 0 sends at once"><Input inputMode="numeric" value={v.digest} onChange={(_, d) => set({ digest: d.value })} /></Field>
      </div>
      <Checkbox label="Off" checked={v.disabled} onChange={(_, d) => set({ disabled: !!d.checked })} />
    </FormDialog>
  );
}
