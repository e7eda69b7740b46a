import { Button, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  createGrant, deleteGrant, deleteIssuer, deleteRole, grants, issuers, putIssuer, putRole, roles, whoCan, type Grant, type Issuer, type Role,
} from "../../api/users";
import { actions } from "../../lib/actions";
import type { Scope } from "../../lib/may";
import { plural } from "../../lib/format";
import { useView } from "../../lib/useView";
import { Choice, CSV } from "../../ui/controls";
import { Loaded } from "../../ui/Fault";
import { FormDialog } from "../../ui/Form";
import { Bones, Empty, Panel } from "../../ui/Page";
import { Table, type Column } from "../../ui/Table";
import { useAct, useRefresh } from "../../ui/useAct";
import { Mark } from "../marks";
import { useMay } from "../session";
import { ScopeFields, scopeText } from "./scope";

/** Grants lists who holds which role where. */
export function Grants() {
  const query = useQuery(grants());
  const may = useMay()("user.write");
  const end = useAct((id: number) => deleteGrant(id), "The grant is taken back", "/grants", "/who-can");
  const columns: Column<Grant>[] = [
    { title: "Who", track: "minmax(0, 1.6fr)", cell: (g) => <div className="cut">{g.subject}</div> },
    { title: "Role", track: "minmax(0, 1fr)", cell: (g) => g.role },
    { title: "On", track: "minmax(0, 1.6fr)", cell: (g) => <div className="cut">{scopeText(g.scope)}</div> },
    { title: "Act", track: "92px", from: 2, end: true, cell: (g) => may && <Button size="small" onClick={() => end.mutate(g.id)}>Take back</Button> },
  ];
  return (
    <>
      <div className="bar"><span className="end"><CSV resource="/grants" /></span></div>
      <Loaded query={query} bones={<Bones lines={6} />}>
        {(l) => <Table label="Grants" plain columns={columns} rows={l.items} total={l.total} rowKey={(g) => g.id} height={44} empty={<Empty title="No grant" />} />}
      </Loaded>
    </>
  );
}

/** NewGrant gives a role. */
export function NewGrant({ onClose }: { onClose: () => void }) {
  const [subject, setSubject] = useState("");
  const [role, setRole] = useState("");
  const [scope, setScope] = useState<Scope>({ kind: "all" });
  const list = useQuery(roles()).data?.items ?? [];
  const refresh = useRefresh();
  return (
    <FormDialog title="New grant" submit="Grant" done="Granted" ready={subject.trim() !== "" && role !== "" && (scope.kind === "all" || !!scope.name)} onClose={onClose}
      onSubmit={async () => { await createGrant(subject.trim(), role, scope); await refresh("/grants", "/who-can"); }}>
      <Field label="To" hint="user:alice, service:ci, or group:platform of the sign-in provider" required><Input value={subject} onChange={(_, d) => setSubject(d.value)} /></Field>
      <Field label="Role" required>
        <Select value={role} onChange={(_, d) => setRole(d.value)}>
          <option value="">Choose a role</option>
          {list.map((r) => <option key={r.name} value={r.name}>{r.title ? `${r.name}: ${r.title}` : r.name}</option>)}
        </Select>
      </Field>
      <ScopeFields scope={scope} onChange={setScope} />
      <p className="dim">Nobody grants what they do not hold.</p>
    </FormDialog>
  );
}

/** Roles lists what each role allows. */
export function Roles() {
  const query = useQuery(roles());
  const may = useMay()("user.write");
  const [gone, setGone] = useState("");
  const [changed, setChanged] = useState<Role>();
  const refresh = useRefresh();
  const columns: Column<Role>[] = [
    { title: "Role", track: "minmax(0, 1fr)", cell: (r) => <div className="two"><span className="row cut">{r.name}{r.builtin && <Mark>Built in</Mark>}</span><div className="cut">{r.title}</div></div> },
    { title: "May", track: "minmax(0, 3fr)", cell: (r) => <div className="two"><div className="cut mono" title={r.actions?.join(", ")}>{r.actions?.join(", ")}</div><div className="cut">{plural(r.actions?.length ?? 0, "action")}</div></div> },
    {
      title: "Act", track: "160px", from: 2, end: true, cell: (r) => may && !r.builtin && (
        <span className="row">
          <Button size="small" onClick={() => setChanged(r)}>Change…</Button>
          <Button size="small" onClick={() => setGone(r.name)}>Delete…</Button>
        </span>
      ),
    },
  ];
  return (
    <>
      <Loaded query={query} bones={<Bones lines={6} />}>
        {(l) => <Table label="Roles" plain columns={columns} rows={l.items} total={l.total} rowKey={(r) => r.name} height={52} empty={<Empty title="No role" />} />}
      </Loaded>
      {changed && <NewRole role={changed} onClose={() => setChanged(undefined)} />}
      {gone && (
        <FormDialog title={`Delete the role ${gone}`} submit="Delete" danger done="The role is deleted" onClose={() => setGone("")} onSubmit={async () => { await deleteRole(gone); await refresh("/roles", "/grants"); }}>
          <p>With all its grants.</p>
        </FormDialog>
      )}
    </>
  );
}

/** NewRole makes a custom role, or changes the one that it is given. */
export function NewRole({ role, onClose }: { role?: Role; onClose: () => void }) {
  const [v, setV] = useState({ name: role?.name ?? "", title: role?.title ?? "", actions: role?.actions ?? [] });
  const refresh = useRefresh();
  return (
    <FormDialog title={role ? `Role ${role.name}` : "New role"} submit={role ? "Save" : "Make it"} done={role ? "The role is changed for all who hold it" : "The role is made"} ready={v.name.trim() !== "" && v.actions.length > 0} onClose={onClose}
      onSubmit={async () => { await putRole({ name: v.name.trim(), title: v.title.trim() || undefined, actions: v.actions, builtin: false }); await refresh("/roles", "/who-can"); }}>
      <div className="pair">
        <Field label="Name" required><Input disabled={!!role} value={v.name} onChange={(_, d) => setV({ ...v, name: d.value })} /></Field>
        <Field label="In words"><Input value={v.title} onChange={(_, d) => setV({ ...v, title: d.value })} /></Field>
      </div>
      <fieldset className="section">
        <legend>May</legend>
        <div style={{ columns: "2 200px", fontSize: 13 }}>
          {actions.map(([action, text]) => (
            <label key={action} style={{ display: "block", padding: "3px 0", breakInside: "avoid" }}>
              <input type="checkbox" checked={v.actions.includes(action)} onChange={(e) => setV({ ...v, actions: e.target.checked ? [...v.actions, action] : v.actions.filter((a) => a !== action) })} /> {text}
            </label>
          ))}
        </div>
      </fieldset>
    </FormDialog>
  );
}

/** WhoCan answers who may do something, and by which role. */
export function WhoCan() {
  const [view, set] = useView({ action: "image.push", on: "" });
  const [text, setText] = useState(view.on);
  const query = useQuery(whoCan(view.action, view.on));
  return (
    <Panel title="Who can" bare>
      <form className="bar body" style={{ margin: 0 }} onSubmit={(e) => { e.preventDefault(); set({ on: text.trim() }); }}>
        <Choice label="Who may" value={view.action} options={actions} onChange={(action) => set({ action })} />
        <Field label="On the repository" hint="Empty: on everything"><Input value={text} onChange={(_, d) => setText(d.value)} /></Field>
        <Button type="submit">Ask</Button>
      </form>
      <Loaded query={query} bones={<div className="body"><Bones lines={3} /></div>}>
        {(l) => l.items.length === 0 ? <p className="body">Nobody.</p> : (
          <ul className="list">
            {l.items.map((h, i) => (
              <li key={i} className="rows" style={{ padding: "9px 16px", fontSize: 14 }}>
                <strong>{h.name || h.subject}</strong>
                {h.name && <span className="dim">{h.subject}</span>}
                <span>as {h.role} on {scopeText(h.scope)}</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

/** Issuers lists whose tokens are exchanged for ours. */
export function Issuers() {
  const query = useQuery(issuers());
  const may = useMay()("user.write");
  const [gone, setGone] = useState<Issuer>();
  const [changed, setChanged] = useState<Issuer>();
  const refresh = useRefresh();
  const columns: Column<Issuer>[] = [
    { title: "Issuer", track: "minmax(0, 1.6fr)", cell: (i) => <div className="two"><div className="cut">{i.id}</div><div className="cut">{i.url}</div></div> },
    { title: "Audience", track: "minmax(0, 1fr)", from: 2, cell: (i) => <div className="cut mono">{i.audience}</div> },
    { title: "Claims", track: "minmax(0, 1.4fr)", from: 3, cell: (i) => <div className="cut mono">{Object.entries(i.claims ?? {}).map(([k, v]) => `${k}=${v}`).join(" ")}</div> },
    { title: "Gives", track: "minmax(0, 1.2fr)", cell: (i) => <div className="cut">{(i.grants ?? []).map((g) => `${g.role} on ${scopeText(g.scope)}`).join(", ")}</div> },
    {
      title: "Act", track: "160px", from: 2, end: true, cell: (i) => may && (
        <span className="row">
          <Button size="small" onClick={() => setChanged(i)}>Change…</Button>
          <Button size="small" onClick={() => setGone(i)}>Delete…</Button>
        </span>
      ),
    },
  ];
  return (
    <>
      <Loaded query={query} bones={<Bones lines={4} />}>
        {(l) => <Table label="Issuers" plain columns={columns} rows={l.items} total={l.total} rowKey={(i) => i.id} height={52} empty={<Empty title="No issuer is trusted"><p>Trust the issuer of a cluster or a CI system, and its workloads push and pull with the tokens that they have: no secret is stored anywhere.</p></Empty>} />}
      </Loaded>
      {changed && <NewIssuer issuer={changed} onClose={() => setChanged(undefined)} />}
      {gone && (
        <FormDialog title={`Delete the issuer ${gone.id}`} submit="Delete" danger done="The issuer is deleted" onClose={() => setGone(undefined)} onSubmit={async () => { await deleteIssuer(gone.id); await refresh("/issuers"); }}>
          <p>Its workloads are refused once the tokens that they hold have run out.</p>
        </FormDialog>
      )}
    </>
  );
}

/** NewIssuer trusts an issuer, or changes the one that it is given. */
export function NewIssuer({ issuer, onClose }: { issuer?: Issuer; onClose: () => void }) {
  const [first, ...others] = issuer?.grants ?? [];
  const [v, setV] = useState({
    id: issuer?.id ?? "", url: issuer?.url ?? "", audience: issuer?.audience ?? "seawall", subject: issuer?.subject ?? "{sub}", keys: issuer?.keys ?? "",
    claims: Object.entries(issuer?.claims ?? {}).map(([name, value]) => `${name}=${value}`).join("\n"), role: first?.role ?? "puller",
  });
  const [scope, setScope] = useState<Scope>(first?.scope ?? { kind: "all" });
  const list = useQuery(roles()).data?.items ?? [];
  const refresh = useRefresh();
  const text = (label: string, name: keyof typeof v, hint?: string, required = false) => <Field label={label} hint={hint} required={required}><Input disabled={name === "id" && !!issuer} value={v[name]} onChange={(_, d) => setV({ ...v, [name]: d.value })} /></Field>;
  return (
    <FormDialog title={issuer ? `Issuer ${issuer.id}` : "Trust an issuer"} submit={issuer ? "Save" : "Trust it"} done={issuer ? "The issuer is changed" : "The issuer is trusted"} ready={v.id !== "" && v.url !== "" && v.audience !== "" && v.claims.trim() !== ""} onClose={onClose}
      onSubmit={async () => {
        await putIssuer({ id: v.id.trim(), url: v.url.trim(), audience: v.audience.trim(), subject: v.subject.trim(), keys: v.keys.trim() || undefined, claims: readClaims(v.claims), grants: [{ id: 0, subject: "", role: v.role, scope }, ...others] });
        await refresh("/issuers");
      }}>
      <div className="pair">
        {text("Name", "id", "production, ci", true)}
        {text("Issuer's URL", "url", "as its tokens have it in iss", true)}
        {text("Audience", "audience", undefined, true)}
        {text("Name of the workload", "subject", "{sub}, or from other claims", true)}
      </div>
      <Field label="Claims that must match" hint="One a line: repository=team/*" required><Textarea rows={3} textarea={{ className: "mono" }} value={v.claims} onChange={(_, d) => setV({ ...v, claims: d.value })} /></Field>
      <Field label="Keys (JWKS)" hint="Empty: fetched from the issuer"><Textarea rows={2} textarea={{ className: "mono" }} value={v.keys} onChange={(_, d) => setV({ ...v, keys: d.value })} /></Field>
      <Field label="Gives the role"><Select value={v.role} onChange={(_, d) => setV({ ...v, role: d.value })}>{list.map((r) => <option key={r.name} value={r.name}>{r.name}</option>)}</Select></Field>
      <ScopeFields scope={scope} onChange={setScope} />
      {others.length > 0 && <p className="dim">It keeps {plural(others.length, "further grant")}: {others.map((g) => `${g.role} on ${scopeText(g.scope)}`).join(", ")}.</p>}
    </FormDialog>
  );
}

function readClaims(text: string): Record<string, string> {
  const claims: Record<string, string> = {};
  for (const line of text.split("\n").map((l) => l.trim()).filter(Boolean)) {
    const i = line.indexOf("=");
    if (i < 1) throw new Error(`“${line}” is no claim: write name=value`);
    claims[line.slice(0, i).trim()] = line.slice(i + 1).trim();
  }
  return claims;
}
