import { Button, Field, Input } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changeService, createSecret, createService, deleteService, deleteToken, secrets, services, type Service } from "../../api/users";
import { useView } from "../../lib/useView";
import { Loaded } from "../../ui/Fault";
import { FormDialog } from "../../ui/Form";
import { Bones, Empty, Panel } from "../../ui/Page";
import { Table, type Column } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useAct, useRefresh } from "../../ui/useAct";
import { Mark } from "../marks";
import { useMay } from "../session";
import { RoleBoxes } from "./People";
import { NewSecret } from "./secret";

/** Services lists service principals, and the secrets of the one that is chosen. */
export function Services() {
  const [view, set] = useView({ service: "" });
  const query = useQuery(services());
  const may = useMay()("user.write");
  const columns: Column<Service>[] = [
    { title: "Service", track: "minmax(0, 1.4fr)", cell: (s) => <div className="two"><button className="stretch" onClick={() => set({ service: s.id })}>{s.name}</button><div className="cut">{s.title || s.id}</div></div> },
    { title: "State", track: "100px", cell: (s) => <Mark tone={s.disabled ? "" : "good"}>{s.disabled ? "Disabled" : "Active"}</Mark> },
    { title: "Made", track: "92px", from: 2, end: true, cell: (s) => <Time at={s.created} /> },
  ];
  return (
    <Loaded query={query} bones={<Bones lines={6} />}>
      {(l) => {
        const chosen = l.items.find((s) => s.id === view.service);
        return (
          <div className="stack">
            <Table label="Services" columns={columns} rows={l.items} total={l.total} rowKey={(s) => s.id} height={52} empty={<Empty title="No service yet"><p>A service is a program that pushes, pulls or scans: a build, a deployment. It has secrets of its own that can be rotated.</p></Empty>} />
            {chosen && <One key={chosen.id} service={chosen} may={may} />}
          </div>
        );
      }}
    </Loaded>
  );
}

function One({ service: s, may }: { service: Service; may: boolean }) {
  const query = useQuery(secrets(s.id));
  const [dialog, setDialog] = useState<"secret" | "delete" | "">("");
  const refresh = useRefresh();
  const end = useAct((id: string) => deleteToken(id), "The secret no longer works", "/services");
  const toggle = useAct(() => changeService(s.id, { disabled: !s.disabled }), "Done", "/services");
  return (
    <Panel
      title={`Secrets of ${s.name}`}
      bare
      actions={may && (
        <>
          <Button size="small" onClick={() => toggle.mutate()}>{s.disabled ? "Enable" : "Disable"}</Button>
          <Button size="small" onClick={() => setDialog("delete")}>Delete…</Button>
          <Button size="small" appearance="primary" onClick={() => setDialog("secret")}>New secret…</Button>
        </>
      )}
    >
      <Loaded query={query} bones={<div className="body"><Bones lines={2} /></div>}>
        {(l) => l.items.length === 0 ? <p className="body dim">It has no secret: nothing can sign in with it. Two are valid at a time, so that they can be rotated.</p> : (
          <ul className="list">
            {l.items.map((t) => (
              <li key={t.id} className="rows" style={{ padding: "9px 16px", justifyContent: "space-between", fontSize: 13 }}>
                <span className="wrap"><strong>{t.title}</strong> <span className="mono dim">{t.id}</span></span>
                <span className="row"><span className="dim">used <Time at={t.used} />, ends <Time at={t.expires} /></span>{may && <Button size="small" onClick={() => end.mutate(t.id)}>Revoke</Button>}</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {dialog === "secret" && <NewSecret title={`New secret of ${s.name}`} user={s.name} make={(title, expires) => createSecret(s.id, title, expires)} onClose={() => setDialog("")} />}
      {dialog === "delete" && (
        <FormDialog title={`Delete ${s.name}`} submit="Delete" danger done="The service is deleted" onClose={() => setDialog("")} onSubmit={async () => { await deleteService(s.id); await refresh("/services", "/grants"); }}>
          <p>With its secrets and grants. Programs that use it are refused from then on.</p>
        </FormDialog>
      )}
    </Panel>
  );
}

/** NewService makes a service principal. */
export function NewService({ onClose }: { onClose: () => void }) {
  const [v, setV] = useState({ name: "", title: "", roles: [] as string[] });
  const refresh = useRefresh();
  return (
    <FormDialog title="New service" submit="Make it" done="The service is made; give it a secret next" ready={v.name.trim() !== ""} onClose={onClose}
      onSubmit={async () => { await createService({ name: v.name.trim(), title: v.title.trim() || undefined, roles: v.roles }); await refresh("/services", "/grants"); }}>
      <div className="pair">
        <Field label="Name" hint="ci, deploy" required><Input value={v.name} onChange={(_, d) => setV({ ...v, name: d.value })} /></Field>
        <Field label="What it is"><Input value={v.title} onChange={(_, d) => setV({ ...v, title: d.value })} /></Field>
      </div>
      <RoleBoxes chosen={v.roles} onChange={(roles) => setV({ ...v, roles })} />
    </FormDialog>
  );
}
