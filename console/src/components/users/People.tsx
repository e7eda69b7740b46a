import { Button, Checkbox, Field, Input, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { MoreHorizontalRegular } from "@fluentui/react-icons/svg/more-horizontal";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changeUser, createUser, deleteUser, removeUserTOTP, resetPassword, roles, users, type User } from "../../api/users";
import { past } from "../../lib/time";
import { useView } from "../../lib/useView";
import { Line, Search } from "../../ui/controls";
import { Loaded } from "../../ui/Fault";
import { FormDialog, Notice } from "../../ui/Form";
import { Bones, Empty } from "../../ui/Page";
import { Table, type Column } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useAct, useRefresh } from "../../ui/useAct";
import { Mark } from "../marks";
import { useMay } from "../session";

/** People lists users and what can be done with them. */
export function People() {
  const [view, set] = useView({ q: "" });
  const query = useQuery(users(view.q));
  const may = useMay()("user.write");
  const [password, setPassword] = useState<{ name: string; password: string }>();
  const [gone, setGone] = useState<User>();
  const [changed, setChanged] = useState<User>();
  const refresh = useRefresh();
  const columns: Column<User>[] = [
    { title: "User", track: "minmax(0, 1.6fr)", cell: (u) => <div className="two"><div className="cut">{u.name}</div><div className="cut">{u.email || u.id}</div></div> },
    { title: "Signs in by", track: "minmax(0, 1fr)", from: 2, cell: (u) => <div className="cut">{u.provider || "password"}{u.hasTotp ? " and authenticator" : ""}</div> },
    { title: "State", track: "130px", cell: (u) => <UserState user={u} /> },
    { title: "Groups", track: "minmax(0, 1fr)", from: 3, cell: (u) => <div className="cut">{u.groups?.join(", ")}</div> },
    { title: "Last here", track: "92px", from: 2, end: true, cell: (u) => <Time at={u.lastSignIn} /> },
    { title: "Act", track: "44px", end: true, cell: (u) => may && <Acts user={u} onPassword={setPassword} onChange={() => setChanged(u)} onDelete={() => setGone(u)} /> },
  ];
  return (
    <>
      <div className="bar">
        <Search label="User" value={view.q} onChange={(q) => set({ q })} />
      </div>
      <Loaded query={query} bones={<Bones lines={6} />}>
        {(l) => <Table label="Users" plain columns={columns} rows={l.items} total={l.total} rowKey={(u) => u.id} height={52} empty={<Empty title="No user matches" />} />}
      </Loaded>
      {password && <OneTime {...password} onClose={() => setPassword(undefined)} />}
      {changed && <ChangeUser user={changed} onClose={() => setChanged(undefined)} />}
      {gone && (
        <FormDialog title={`Delete ${gone.name}`} submit="Delete" danger done="The user is deleted" onClose={() => setGone(undefined)} onSubmit={async () => { await deleteUser(gone.id); await refresh("/users", "/grants"); }}>
          <p>With all tokens and grants. What they did stays in the audit trail.</p>
        </FormDialog>
      )}
    </>
  );
}

function UserState({ user: u }: { user: User }) {
  if (u.disabled) return <Mark>Disabled</Mark>;
  if (u.lockedUntil && !past(u.lockedUntil) && !u.lockedUntil.startsWith("0001")) return <Mark tone="bad">Locked out</Mark>;
  if (u.mustChangePassword) return <Mark tone="warn">New password due</Mark>;
  return <Mark tone="good">Active</Mark>;
}

interface ActsProps {
  user: User;
  onPassword: (p: { name: string; password: string }) => void;
  onChange: () => void;
  onDelete: () => void;
}

function Acts({ user: u, onPassword, onChange, onDelete }: ActsProps) {
  const change = useAct((body: Parameters<typeof changeUser>[1]) => changeUser(u.id, body), "Done", "/users");
  const removeTOTP = useAct(() => removeUserTOTP(u.id), "The authenticator is removed", "/users");
  const reset = useAct(async () => onPassword({ name: u.name, password: (await resetPassword(u.id)).password ?? "" }), "", "/users");
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<MoreHorizontalRegular />} aria-label={`Act on ${u.name}`} />
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuItem onClick={onChange}>E-mail and groups…</MenuItem>
          {!u.provider && <MenuItem onClick={() => reset.mutate()}>Give a new password</MenuItem>}
          {u.hasTotp && <MenuItem onClick={() => removeTOTP.mutate()}>Remove the authenticator</MenuItem>}
          {!!u.failures && <MenuItem onClick={() => change.mutate({ unlock: true })}>End the lock-out</MenuItem>}
          <MenuItem onClick={() => change.mutate({ disabled: !u.disabled })}>{u.disabled ? "Enable" : "Disable"}</MenuItem>
          <MenuItem onClick={onDelete}>Delete…</MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}

function ChangeUser({ user: u, onClose }: { user: User; onClose: () => void }) {
  const [v, setV] = useState({ email: u.email ?? "", groups: (u.groups ?? []).join(", ") });
  const refresh = useRefresh();
  const words = v.groups.split(/[,\s]+/).filter(Boolean);
  return (
    <FormDialog title={`Change ${u.name}`} submit="Save" done="The user is changed" onClose={onClose}
      onSubmit={async () => { await changeUser(u.id, u.provider ? { email: v.email.trim() } : { email: v.email.trim(), groups: words }); await refresh("/users", "/who-can"); }}>
      <Field label="E-mail"><Input type="email" value={v.email} onChange={(_, d) => setV({ ...v, email: d.value })} /></Field>
      {u.provider ? <p className="dim">Groups come from {u.provider} at each sign-in.</p> : (
        <Field label="Groups" hint="platform, shop: a grant to group:platform holds for its members"><Input value={v.groups} onChange={(_, d) => setV({ ...v, groups: d.value })} /></Field>
      )}
    </FormDialog>
  );
}

function OneTime({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  return (
    <Notice title={`Password of ${name}`} onClose={onClose}>
      <p>Hand it over safely: it is not shown again, and has to be changed at the first sign-in.</p>
      <Line text={password} what="the password" />
    </Notice>
  );
}

/** NewUser makes a user and shows the password once. */
export function NewUser({ onClose }: { onClose: () => void }) {
  const [v, setV] = useState({ name: "", email: "", roles: [] as string[] });
  const [made, setMade] = useState<{ name: string; password: string }>();
  const refresh = useRefresh();
  if (made) return <OneTime {...made} onClose={onClose} />;
  return (
    <FormDialog title="New user" submit="Make it" ready={v.name.trim() !== ""} keep onClose={onClose}
      onSubmit={async () => {
        const r = await createUser({ name: v.name.trim(), email: v.email.trim() || undefined, roles: v.roles });
        await refresh("/users", "/grants");
        setMade({ name: r.user.name, password: r.password ?? "" });
      }}>
      <div className="pair">
        <Field label="Name" required><Input value={v.name} onChange={(_, d) => setV({ ...v, name: d.value })} /></Field>
        <Field label="E-mail"><Input type="email" value={v.email} onChange={(_, d) => setV({ ...v, email: d.value })} /></Field>
      </div>
      <RoleBoxes chosen={v.roles} onChange={(r) => setV({ ...v, roles: r })} />
    </FormDialog>
  );
}

/** RoleBoxes choose roles on everything. */
export function RoleBoxes({ chosen, onChange }: { chosen: string[]; onChange: (r: string[]) => void }) {
  const list = useQuery(roles()).data?.items ?? [];
  return (
    <fieldset className="section">
      <legend>Roles on everything</legend>
      <div className="rows">
        {list.map((r) => (
          <Checkbox key={r.name} label={r.name} checked={chosen.includes(r.name)} onChange={(_, d) => onChange(d.checked ? [...chosen, r.name] : chosen.filter((x) => x !== r.name))} />
        ))}
      </div>
      <p className="dim">For roles on some repositories only, add a grant afterwards.</p>
    </fieldset>
  );
}
