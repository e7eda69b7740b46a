import { Button, Field, Input, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { credentials, deleteCredential, putCredential, type Credential } from "../api/rules";
import { Fault } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Empty } from "../ui/Page";
import { Table, type Column } from "../ui/Table";
import { useRefresh } from "../ui/useAct";
import { useMay } from "./session";

/** Credentials lists what imports and mirrors sign in with. */
export function Credentials() {
  const query = useQuery(credentials());
  const may = useMay()("system.write");
  const [dialog, setDialog] = useState<{ what: "put" | "delete"; credential: Credential }>();
  const refresh = useRefresh();
  const columns: Column<Credential>[] = [
    { title: "Name", track: "minmax(0, 1fr)", cell: (c) => <div className="cut">{c.name}</div> },
    { title: "Registry", track: "minmax(0, 1.4fr)", from: 2, cell: (c) => <div className="cut mono">{c.host}</div> },
    { title: "User there", track: "minmax(0, 1fr)", from: 2, cell: (c) => <div className="cut">{c.user}</div> },
    {
      title: "Act", track: "170px", end: true, cell: (c) => may && (
        <span className="row">
          <Button size="small" onClick={() => setDialog({ what: "put", credential: c })}>Replace…</Button>
          <Button size="small" onClick={() => setDialog({ what: "delete", credential: c })}>Delete…</Button>
        </span>
      ),
    },
  ];
  if (query.error && !query.data) return <Fault fault={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table label="Credentials" plain columns={columns} rows={query.data?.items} total={query.data?.total} rowKey={(c) => c.name} height={44}
        empty={<Empty title="No credential"><p>Imports and mirrors of registries that anybody may read need none. For others, store a user and a secret here and name it there; the secret is encrypted where the hub encrypts, and never shown again.</p></Empty>} />
      {dialog?.what === "put" && <PutCredential credential={dialog.credential} onClose={() => setDialog(undefined)} />}
      {dialog?.what === "delete" && (
        <FormDialog title={`Delete the credential ${dialog.credential.name}`} submit="Delete" danger done="The credential is deleted" onClose={() => setDialog(undefined)}
          onSubmit={async () => { await deleteCredential(dialog.credential.name); await refresh("/credentials"); }}>
          <p>Imports and mirrors that name it are refused by their source from then on.</p>
        </FormDialog>
      )}
    </>
  );
}

/** PutCredential makes a credential, or replaces the one that it is given. */
export function PutCredential({ credential: c, onClose }: { credential?: Credential; onClose: () => void }) {
  const [v, setV] = useState({ name: c?.name ?? "", host: c?.host ?? "", user: c?.user ?? "", secret: "" });
  const refresh = useRefresh();
  return (
    <FormDialog title={c ? `Replace ${c.name}` : "New credential"} submit="Store" done="The credential is stored" ready={v.name.trim() !== "" && v.host.trim() !== "" && v.user.trim() !== "" && v.secret !== ""} onClose={onClose}
      onSubmit={async () => { await putCredential({ name: v.name.trim(), host: v.host.trim(), user: v.user.trim(), secret: v.secret }); await refresh("/credentials"); }}>
      <Field label="Name" hint="as imports and mirrors name it" required><Input disabled={!!c} value={v.name} onChange={(_, d) => setV({ ...v, name: d.value })} /></Field>
      <Field label="Registry" hint="registry.example:5000: it is sent there and nowhere else" required><Input value={v.host} onChange={(_, d) => setV({ ...v, host: d.value })} /></Field>
      <Field label="User there" required><Input autoComplete="off" value={v.user} onChange={(_, d) => setV({ ...v, user: d.value })} /></Field>
      <Field label="Password or token" required><Input type="password" autoComplete="new-password" value={v.secret} onChange={(_, d) => setV({ ...v, secret: d.value })} /></Field>
    </FormDialog>
  );
}

/** CredentialField names a stored credential: by choosing for who may see them, else by its name. */
export function CredentialField({ value, onChange }: { value: string; onChange: (v: string) => void }) {
  const sees = useMay()("system.read");
  const items = useQuery({ ...credentials(), enabled: sees }).data?.items;
  if (!items) return <Field label="Credential" hint="The name of a stored one; empty for none"><Input value={value} onChange={(_, d) => onChange(d.value)} /></Field>;
  return (
    <Field label="Credential">
      <Select value={value} onChange={(_, d) => onChange(d.value)}>
        <option value="">None</option>
        {value && !items.some((c) => c.name === value) && <option value={value}>{value} (not stored)</option>}
        {items.map((c) => <option key={c.name} value={c.name}>{c.name} ({c.user} at {c.host})</option>)}
      </Select>
    </Field>
  );
}
