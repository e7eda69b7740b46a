import { Field, Input, Select, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { requestException } from "../api/exceptions";
import { dayEnd, inDays } from "../lib/time";
import { FormDialog } from "../ui/Form";
import { useRefresh } from "../ui/useAct";
import { useSession } from "./session";

/** Start is what an exception begins with. */
export type Start = { repositories?: string; id?: string; package?: string; path?: string };

/** RequestException asks for an exception; somebody else has to approve it. */
export function RequestException({ start, onClose }: { start: Start; onClose: () => void }) {
  const me = useSession()?.principal?.name ?? "";
  const [e, setE] = useState({ repositories: "**", id: "", package: "", path: "", as: "accepted", reason: "", owner: me, until: inDays(30), ...start });
  const set = (change: Partial<typeof e>) => setE({ ...e, ...change });
  const refresh = useRefresh();
  const text = (label: string, name: "repositories" | "id" | "package" | "path" | "owner", hint?: string, required = false) => (
    <Field label={label} hint={hint} required={required}>
      <Input value={e[name]} onChange={(_, d) => set({ [name]: d.value })} />
    </Field>
  );
  return (
    <FormDialog
      title="Ask for an exception"
      submit="Ask for it"
      done="The exception waits for somebody to approve it"
      ready={e.reason.trim() !== "" && e.owner.trim() !== "" && e.until !== "" && (e.id + e.package + e.path).trim() !== "" && e.repositories.trim() !== ""}
      onClose={onClose}
      onSubmit={async () => {
        await requestException({ repositories: e.repositories, as: e.as, id: e.id || undefined, package: e.package || undefined, path: e.path || undefined, reason: e.reason, owner: e.owner, expires: dayEnd(e.until) });
        await refresh("/exceptions", "/overview");
      }}
    >
      <div className="pair">
        {text("Advisory, secret rule or check", "id", "CVE-2026-1234; empty means any")}
        {text("Package", "package", "A name, a pattern or a package URL")}
        {text("Repositories", "repositories", "team/*, prod/**", true)}
        {text("Path in the image", "path", "Every occurrence must match")}
      </div>
      <div className="pair">
        <Field label="Because it is" required>
          <Select value={e.as} onChange={(_, d) => set({ as: d.value })}>
            <option value="accepted">an accepted risk</option>
            <option value="false-positive">a false positive</option>
          </Select>
        </Field>
        <Field label="Until the end of" required>
          <Input type="date" value={e.until} min={inDays(1)} onChange={(_, d) => set({ until: d.value })} />
        </Field>
      </div>
      {text("Owner", "owner", "Who answers for it", true)}
      <Field label="Reason" hint="Whoever approves it and whoever audits it reads this" required>
        <Textarea rows={3} value={e.reason} onChange={(_, d) => set({ reason: d.value })} />
      </Field>
    </FormDialog>
  );
}
