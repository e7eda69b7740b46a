import { Button, Checkbox, Field, Input } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { collect, deleteRule, importImage, rules, type Rule } from "../api/rules";
import { CredentialField, Credentials, PutCredential } from "../components/Credentials";
import { EffectiveRule, set as isSet } from "../components/EffectiveRule";
import { Mark } from "../components/marks";
import { RuleForm } from "../components/RuleForm";
import { useMay } from "../components/session";
import { useView } from "../lib/useView";
import { Tabs } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Empty, Page, Panel } from "../ui/Page";
import { Table, type Column } from "../ui/Table";
import { useRefresh } from "../ui/useAct";

type Dialog = { what: "new" } | { what: "edit" | "delete"; rule: Rule } | { what: "import" | "collect" | "credential" };

// What holds for which repositories: for each section the first rule that matches and has it decides.
export default function Rules() {
  const [view, set] = useView({ tab: "rules", repository: "" });
  const [dialog, setDialog] = useState<Dialog>();
  const may = useMay();
  const close = () => setDialog(undefined);
  const tabs: [string, string][] = [["rules", "Rules"], ["effective", "What holds for a repository"]];
  if (may("system.read")) tabs.push(["credentials", "Credentials"]);
  return (
    <Page
      title="Registry"
      sub="Rules by repository, imports and collection"
      actions={
        <>
          {may("image.import") && <Button onClick={() => setDialog({ what: "import" })}>Import an image…</Button>}
          {may("system.write") && <Button onClick={() => setDialog({ what: "collect" })}>Collect…</Button>}
          {view.tab === "credentials"
            ? may("system.write") && <Button appearance="primary" onClick={() => setDialog({ what: "credential" })}>New credential…</Button>
            : may("rule.write") && <Button appearance="primary" onClick={() => setDialog({ what: "new" })}>New rule…</Button>}
        </>
      }
    >
      <Tabs label="Parts" value={view.tab} tabs={tabs} onChange={(tab) => set({ tab })} />
      {view.tab === "effective" && <Preview repository={view.repository} onChange={(repository) => set({ repository })} />}
      {view.tab === "credentials" && <Credentials />}
      {view.tab !== "effective" && view.tab !== "credentials" && <List act={setDialog} />}
      {dialog?.what === "credential" && <PutCredential onClose={close} />}
      {dialog?.what === "new" && <RuleForm onClose={close} />}
      {dialog?.what === "edit" && <RuleForm id={dialog.rule.id} onClose={close} />}
      {dialog?.what === "delete" && <Delete rule={dialog.rule} onClose={close} />}
      {dialog?.what === "import" && <Import onClose={close} />}
      {dialog?.what === "collect" && <Collect onClose={close} />}
    </Page>
  );
}

function List({ act }: { act: (d: Dialog) => void }) {
  const query = useQuery(rules());
  const may = useMay()("rule.write");
  const columns: Column<Rule>[] = [
    { title: "Order", track: "46px", end: true, cell: (r) => r.order },
    {
      title: "Rule", track: "minmax(0, 1.6fr)", cell: (r) => (
        <div className="two">
          {may ? <button className="stretch" onClick={() => act({ what: "edit", rule: r })}>{r.name}</button> : <span>{r.name}</span>}
          <div className="cut mono">{r.pattern}</div>
        </div>
      ),
    },
    { title: "Mode", track: "88px", cell: (r) => (r.mode ? <Mark tone={r.mode === "enforce" ? "warn" : "info"}>{r.mode === "enforce" ? "Enforce" : "Observe"}</Mark> : <span className="dim">not set</span>) },
    { title: "Sections", track: "minmax(0, 2.4fr)", from: 2, cell: (r) => <div className="cut">{sections(r).join(", ") || "none"}</div> },
    { title: "Act", track: "84px", from: 2, end: true, cell: (r) => may && <Button className="above" size="small" onClick={() => act({ what: "delete", rule: r })}>Delete…</Button> },
  ];
  if (query.error && !query.data) return <Fault fault={query.error} retry={() => void query.refetch()} />;
  return (
    <Table label="Rules" columns={columns} rows={query.data?.items} total={query.data?.total} rowKey={(r) => r.id} height={52} plain={!may}
      empty={<Empty title="No rule yet"><p>Without a rule every repository is observed: images are scanned, marked and served. A first rule is often “enforce” for <span className="mono">prod/**</span>.</p></Empty>} />
  );
}

function sections(r: Rule): string[] {
  return [
    r.gate && "gate", isSet(r.verdictMaxAge) && "age of the verdict", r.due && "due days", r.owner && "owner", r.tags && "tags that never move",
    r.retention && "retention", r.quota && "quota", r.trust && "trust", r.mirror && "mirror",
  ].filter((s): s is string => !!s);
}

function Preview({ repository, onChange }: { repository: string; onChange: (r: string) => void }) {
  const [text, setText] = useState(repository);
  return (
    <Panel title="What holds for a repository">
      <form className="bar" onSubmit={(e) => { e.preventDefault(); onChange(text.trim()); }}>
        <Field label="Repository"><Input value={text} onChange={(_, d) => setText(d.value)} /></Field>
        <Button type="submit">Show</Button>
      </form>
      {repository ? <EffectiveRule repository={repository} /> : <p className="dim">Type the name of a repository, existing or not: the answer says which rule each section comes from.</p>}
    </Panel>
  );
}

function Delete({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const refresh = useRefresh();
  return (
    <FormDialog title={`Delete the rule “${rule.name}”`} submit="Delete" danger done="The rule is deleted" onClose={onClose}
      onSubmit={async () => { await deleteRule(rule.id); await refresh("/rules"); }}>
      <p>What it said for <span className="mono">{rule.pattern}</span> no longer holds; the next rule that matches decides instead.</p>
    </FormDialog>
  );
}

function Import({ onClose }: { onClose: () => void }) {
  const [v, setV] = useState({ source: "", destination: "", credential: "" });
  const refresh = useRefresh();
  const field = (label: string, name: keyof typeof v, hint: string, required = false) => (
    <Field label={label} hint={hint} required={required}><Input value={v[name]} onChange={(_, d) => setV({ ...v, [name]: d.value })} /></Field>
  );
  return (
    <FormDialog title="Import an image" submit="Import" done="The import waits for its turn; Jobs shows how far it is" ready={v.source !== "" && v.destination !== ""} onClose={onClose}
      onSubmit={async () => { await importImage(v.source.trim(), v.destination.trim(), v.credential.trim()); await refresh("/jobs"); }}>
      {field("From", "source", "registry.example/team/app:1, or with @sha256:…", true)}
      {field("To", "destination", "team/app:1 in this hub", true)}
      <CredentialField value={v.credential} onChange={(credential) => setV({ ...v, credential })} />
      <p className="dim">It is scanned as it arrives. To copy a whole repository, or what is asked for, give a rule a mirror.</p>
    </FormDialog>
  );
}

function Collect({ onClose }: { onClose: () => void }) {
  const [dry, setDry] = useState(true);
  const refresh = useRefresh();
  return (
    <FormDialog title="Collect what nothing keeps" submit={dry ? "Report" : "Collect"} danger={!dry} done="The collection waits for its turn; Jobs shows its report" onClose={onClose}
      onSubmit={async () => { await collect(dry); await refresh("/jobs"); }}>
      <p>Retention rules are applied and blobs that no image names any more are deleted. Pushes and pulls go on meanwhile.</p>
      <Checkbox label="Only report what would go" checked={dry} onChange={(_, d) => setDry(!!d.checked)} />
    </FormDialog>
  );
}
