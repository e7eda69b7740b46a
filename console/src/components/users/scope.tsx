import { Field, Input, Select } from "@fluentui/react-components";
import type { Scope } from "../../lib/may";

/** scopeText is a scope in words. */
export function scopeText(s: Scope): string {
  return s.kind === "all" ? "everything" : `${s.kind === "repository" ? "repositories" : s.kind} ${s.name ?? ""}`;
}

/** ScopeFields ask for a scope. */
export function ScopeFields({ scope, onChange }: { scope: Scope; onChange: (s: Scope) => void }) {
  return (
    <div className="pair">
      <Field label="On">
        <Select value={scope.kind} onChange={(_, d) => onChange({ kind: d.value as Scope["kind"], name: d.value === "all" ? undefined : scope.name })}>
          <option value="all">Everything</option>
          <option value="repository">Repositories</option>
          <option value="cluster">A cluster</option>
          <option value="namespace">A namespace</option>
        </Select>
      </Field>
      {scope.kind !== "all" && (
        <Field label={scope.kind === "repository" ? "Pattern" : "Name"} hint={scope.kind === "repository" ? "team/**" : scope.kind === "namespace" ? "cluster/namespace" : undefined} required>
          <Input value={scope.name ?? ""} onChange={(_, d) => onChange({ ...scope, name: d.value })} />
        </Field>
      )}
    </div>
  );
}
