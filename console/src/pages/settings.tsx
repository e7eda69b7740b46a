import { Button, Field, Input, Textarea } from "@fluentui/react-components";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { address } from "../api/fetch";
import { changePassword, removeTOTP } from "../api/session";
import { changeSettings, database, settings, system, updateDatabase, type Settings as Data, type System as SystemData } from "../api/system";
import { createToken, deleteToken, sessions, tokens } from "../api/users";
import { EnrolTOTP } from "../components/EnrolTOTP";
import { Mark } from "../components/marks";
import { useMay, useSession } from "../components/session";
import { NewSecret } from "../components/users/secret";
import { bytes, count, short } from "../lib/format";
import { dateTime, known } from "../lib/time";
import { useView } from "../lib/useView";
import { Copy, Tabs } from "../ui/controls";
import { Fault, Loaded } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Bones, Facts, Page, Panel } from "../ui/Page";
import { useSay } from "../ui/say";
import { Time } from "../ui/Time";
import { useAct, useRefresh } from "../ui/useAct";

export default function Settings() {
  const [view, set] = useView({ tab: "system" });
  const may = useMay();
  const tabs: [string, string][] = [["system", "System"], ["database", "Advisory database"], ["account", "My account and tokens"]];
  if (may("system.read")) tabs.splice(2, 0, ["settings", "Settings"]);
  return (
    <Page title="Settings">
      <Tabs label="Parts" value={view.tab} tabs={tabs} onChange={(tab) => set({ tab })} />
      {view.tab === "system" && <System />}
      {view.tab === "database" && <Database />}
      {view.tab === "settings" && <Change />}
      {view.tab === "account" && <Account />}
    </Page>
  );
}

function System() {
  const query = useQuery(system());
  const may = useMay();
  return (
    <Loaded query={query} bones={<Bones lines={10} />}>
      {(s) => (
        <div className="grid">
          <Panel title="Hub" className="w6" actions={may("system.write") && may("key.rotate") && <Button size="small" as="a" href={address("/backup")} download>Backup</Button>}>
            <Facts items={hub(s)} />
          </Panel>
          {s.signingKey && (
            <Panel title="Public key" className="w6" actions={<Copy text={s.signingKey} what="the public key" />}>
              <p className="dim">The hub signs its verdicts and SBOMs with it: <span className="mono">seawall verify --key hub.pub</span></p>
              <pre className="text">{s.signingKey}</pre>
            </Panel>
          )}
          <Panel title="Sources" className="w6">
            {(s.sources ?? []).length === 0 ? <p className="dim">no source connected</p> : (
              <Facts items={(s.sources ?? []).map((x) => [x.name || x.kind, <span key={x.kind + x.name} className="rows"><Mark tone={x.connected ? "good" : ""}>{x.connected ? "Connected" : "Not connected"}</Mark>{x.detail}</span>])} />
            )}
          </Panel>
          {Object.values(s.dropped ?? {}).some((n) => n > 0) && (
            <Panel title="Dropped since the start" className="w6">
              <Facts items={Object.entries(s.dropped ?? {}).map(([queue, n]) => [queue, <span key={queue} className={n > 0 ? "warn number" : "number"}>{count(n)}</span>])} />
            </Panel>
          )}
        </div>
      )}
    </Loaded>
  );
}

function hub(s: SystemData): [string, React.ReactNode][] {
  return [
    ["Version", s.version],
    ["Address", <span key="a" className="mono">{s.address}</span>],
    ["Started", known(s.started) ? <Time at={s.started} /> : ""],
    ["Storage", s.storage?.kind && `${s.storage.kind}, ${bytes(s.storage.used)} used${s.storage.free >= 0 ? `, ${bytes(s.storage.free)} free` : ""}`],
    ["State", s.database?.kind && [s.database.kind, s.database.version, s.database.schema && `schema ${s.database.schema}`].filter(Boolean).join(", ")],
    ["At rest", s.encryption === undefined ? "" : <Mark tone={s.encryption ? "good" : ""}>{s.encryption ? "Encrypted" : "Not encrypted"}</Mark>],
  ];
}

function Database() {
  const query = useQuery(database());
  const may = useMay();
  const update = useAct(updateDatabase, "The update waits for its turn", "/jobs", "/database");
  return (
    <Loaded query={query} bones={<Bones lines={8} />}>
      {(d) => (
        <div className="grid">
          <Panel title="Advisory database" className="w6" actions={may("system.write") && <Button size="small" disabled={update.isPending} onClick={() => update.mutate()}>Update now</Button>}>
            <Facts
              items={[
                ["State", d.stale ? <Mark key="s" tone="warn">Older than allowed</Mark> : <Mark key="s" tone="good">Current</Mark>],
                ["Built", <Time key="b" at={d.database.builtAt} never="unknown" />],
                ["Records", count(d.database.records)],
                ["Set", d.database.starter ? <span key="t" className="warn">only what is built into the program</span> : ""],
                ["Signed by", d.database.signer || "built on this machine"],
                ["Digest", <span key="d" className="mono">{short(d.database.digest)}</span>],
                ["Updates from", d.source || "nowhere: give the hub a source, or update it by hand"],
                ["Last asked", <Time key="c" at={d.checked} />],
                ["Last fault", d.error ? <span className="bad">{d.error}</span> : ""],
              ]}
            />
          </Panel>
          <Panel title="Ecosystems" className="w6">
            {d.ecosystems?.length ? <Facts items={d.ecosystems.map((e) => [e.name, <span key={e.name}>{count(e.records)} <span className="dim">newest <Time at={e.newest} never="unknown" /></span></span>])} /> : <p className="dim">No figures by ecosystem.</p>}
          </Panel>
        </div>
      )}
    </Loaded>
  );
}

function Change() {
  const query = useQuery(settings());
  return (
    <Loaded query={query} bones={<Bones lines={6} />}>
      {({ value, etag }) => <ChangeForm key={etag} value={value} etag={etag} />}
    </Loaded>
  );
}

function ChangeForm({ value, etag }: { value: Data; etag: string }) {
  const plain = (d: string | undefined) => (d && d !== "0s" ? d : "");
  const [v, setV] = useState({ banner: value.banner ?? "", outdatedAfter: plain(value.outdatedAfter), reportEvery: plain(value.reportEvery), databaseEvery: plain(value.databaseEvery) });
  const may = useMay()("system.write");
  const refresh = useRefresh();
  const say = useSay();
  const act = useMutation({
    mutationFn: () => changeSettings({ banner: v.banner || undefined, outdatedAfter: v.outdatedAfter || undefined, reportEvery: v.reportEvery || undefined, databaseEvery: v.databaseEvery || undefined }, etag),
    onSuccess: () => (say("The settings are saved"), refresh("/settings", "/session")),
  });
  return (
    <Panel title="Settings">
      <form className="form" style={{ maxWidth: 560 }} onSubmit={(e) => { e.preventDefault(); act.mutate(); }}>
        <Field label="Text above the sign-in form"><Textarea rows={2} disabled={!may} value={v.banner} onChange={(_, d) => setV({ ...v, banner: d.value })} /></Field>
        <Field label="An image is out of date after" hint="90d where empty"><Input disabled={!may} value={v.outdatedAfter} onChange={(_, d) => setV({ ...v, outdatedAfter: d.value })} /></Field>
        <Field label="Send the report of outdated images every" hint="7d; empty: never"><Input disabled={!may} value={v.reportEvery} onChange={(_, d) => setV({ ...v, reportEvery: d.value })} /></Field>
        <Field label="Update the advisory database every" hint="12h; empty: by hand"><Input disabled={!may} value={v.databaseEvery} onChange={(_, d) => setV({ ...v, databaseEvery: d.value })} /></Field>
        {act.error && <Fault fault={act.error} />}
        {may && <div><Button type="submit" appearance="primary" disabled={act.isPending}>Save</Button></div>}
      </form>
    </Panel>
  );
}

function Account() {
  const session = useSession();
  const [dialog, setDialog] = useState<"token" | "password" | "">("");
  const list = useQuery(tokens());
  const open = useQuery(sessions());
  const end = useAct((id: string) => deleteToken(id), "It no longer works", "/tokens", "/sessions");
  return (
    <div className="grid">
      <Panel title="Me" className="w6" actions={<Button size="small" onClick={() => setDialog("password")}>Change password…</Button>}>
        <Facts
          items={[
            ["Name", session?.principal?.name],
            ["Id", <span key="i" className="mono">{session?.principal?.id}</span>],
            ["Groups", session?.principal?.groups?.join(", ")],
            ["Signed in until", dateTime(session?.expires)],
          ]}
        />
      </Panel>
      <Panel title="Authenticator" className="w6"><Authenticator /></Panel>
      <Panel title="My tokens" className="w6" bare actions={<Button size="small" appearance="primary" onClick={() => setDialog("token")}>New token…</Button>}>
        <Loaded query={list} bones={<div className="body"><Bones lines={2} /></div>}>
          {(l) => l.items.length === 0 ? <p className="body dim">A token stands for you in a script or on the command line, and in docker login.</p> : (
            <ul className="list">{l.items.map((t) => <TokenRow key={t.id} title={t.title || t.id} sub={<>used <Time at={t.used} />, ends <Time at={t.expires} /></>} end={() => end.mutate(t.id)} />)}</ul>
          )}
        </Loaded>
      </Panel>
      <Panel title="My sessions" className="w6" bare>
        <Loaded query={open} bones={<div className="body"><Bones lines={2} /></div>}>
          {(l) => <ul className="list">{l.items.map((t) => <TokenRow key={t.id} title={browser(t.agent)} sub={<>{t.address}, used <Time at={t.used} never="just now" /></>} end={() => end.mutate(t.id)} />)}</ul>}
        </Loaded>
      </Panel>
      {dialog === "token" && <NewSecret title="New token" user={session?.principal?.name ?? ""} make={createToken} onClose={() => setDialog("")} />}
      {dialog === "password" && <Password onClose={() => setDialog("")} />}
    </div>
  );
}

function TokenRow({ title, sub, end }: { title: string; sub: React.ReactNode; end: () => void }) {
  return (
    <li className="rows" style={{ padding: "9px 16px", justifyContent: "space-between", fontSize: 13 }}>
      <span className="two grow"><span className="cut">{title}</span><span className="cut">{sub}</span></span>
      <Button size="small" aria-label={`End ${title}`} onClick={end}>End</Button>
    </li>
  );
}

function browser(agent: string | undefined): string {
  const name = /(Firefox|Edg|Chrome|Safari|curl)/.exec(agent ?? "")?.[1]?.replace("Edg", "Edge");
  const on = /(Windows|Mac OS X|Android|iPhone|Linux)/.exec(agent ?? "")?.[1]?.replace("Mac OS X", "macOS");
  return name ? `${name}${on ? ` on ${on}` : ""}` : agent || "unknown";
}

function Authenticator() {
  const [state, setState] = useState<"" | "add" | "remove">("");
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  if (state === "add") return <EnrolTOTP onDone={() => setState("")} />;
  return (
    <div className="form">
      <p className="dim">A code of your authenticator is asked for beside the password.</p>
      <div className="rows">
        <Button onClick={() => setState("add")}>Add an authenticator…</Button>
        <Button onClick={() => setState("remove")}>Remove it…</Button>
      </div>
      {state === "remove" && (
        <FormDialog title="Remove the authenticator" submit="Remove" danger ready={code.length >= 6 && password !== ""} done="The authenticator is removed" onClose={() => setState("")} onSubmit={() => removeTOTP(password, code.trim())}>
          <Field label="Your password" required><Input type="password" autoComplete="current-password" value={password} onChange={(_, d) => setPassword(d.value)} /></Field>
          <Field label="A code of it, or a recovery code" required><Input value={code} onChange={(_, d) => setCode(d.value)} /></Field>
        </FormDialog>
      )}
    </div>
  );
}

function Password({ onClose }: { onClose: () => void }) {
  const [v, setV] = useState({ current: "", next: "", again: "" });
  const field = (label: string, name: keyof typeof v, auto: string) => <Field label={label} required><Input type="password" autoComplete={auto} value={v[name]} onChange={(_, d) => setV({ ...v, [name]: d.value })} /></Field>;
  return (
    <FormDialog title="Change password" submit="Change" done="The password is changed; other sessions ended" ready={v.current !== "" && v.next !== "" && v.next === v.again} onClose={onClose} onSubmit={() => changePassword(v.current, v.next)}>
      {field("Current password", "current", "current-password")}
      {field("New password", "next", "new-password")}
      {field("New password again", "again", "new-password")}
    </FormDialog>
  );
}
