import { Checkbox, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { changeRule, createRule, rule, type Rule } from "../api/rules";
import { toRule, toText, type RuleText } from "../lib/ruleForm";
import { FormDialog } from "../ui/Form";
import { useRefresh } from "../ui/useAct";
import { CredentialField } from "./Credentials";
import { TrustEditor } from "./TrustEditor";

/** RuleForm makes a rule, or changes the one with id. */
export function RuleForm({ id, onClose }: { id?: number; onClose: () => void }) {
  const query = useQuery({ ...rule(id ?? 0), enabled: id !== undefined, staleTime: 0, gcTime: 0 });
  if (id === undefined) return <Form onClose={onClose} />;
  if (!query.data) return null;
  return <Form rule={query.data.value} etag={query.data.etag} onClose={onClose} />;
}

type Set = (change: Partial<RuleText>) => void;

function Form({ rule: r, etag = "", onClose }: { rule?: Rule; etag?: string; onClose: () => void }) {
  const [t, setT] = useState(() => toText(r));
  const set: Set = (change) => setT((old) => ({ ...old, ...change }));
  const refresh = useRefresh();
  return (
    <FormDialog
      wide
      title={r ? `Rule “${r.name}”` : "New rule"}
      submit="Save"
      done="The rule is saved"
      ready={t.name.trim() !== "" && t.pattern.trim() !== ""}
      onClose={onClose}
      onSubmit={async () => {
        const input = toRule(t);
        await (r ? changeRule(r.id, input, etag) : createRule(input));
        await refresh("/rules");
      }}
    >
      <p className="dim">Each section is optional. For each, the first rule in order that matches a repository and has the section decides.</p>
      <div className="pair">
        <Field label="Name" required><Input value={t.name} onChange={(_, d) => set({ name: d.value })} /></Field>
        <Field label="Repositories" hint="team/*, prod/**" required><Input value={t.pattern} onChange={(_, d) => set({ pattern: d.value })} /></Field>
        <Field label="Order" hint="Lower is asked first"><Input inputMode="numeric" value={t.order} onChange={(_, d) => set({ order: d.value })} /></Field>
        <Field label="Mode">
          <Select value={t.mode} onChange={(_, d) => set({ mode: d.value })}>
            <option value="">Not set by this rule</option>
            <option value="observe">Observe: scan, mark, serve</option>
            <option value="enforce">Enforce: serve only what is released</option>
          </Select>
        </Field>
      </div>
      <Verdict t={t} set={set} />
      <Due t={t} set={set} />
      <Keeping t={t} set={set} />
      <TrustEditor trust={t.trust} onChange={(trust) => set({ trust })} />
      <Mirror t={t} set={set} />
    </FormDialog>
  );
}

function Verdict({ t, set }: { t: RuleText; set: Set }) {
  return (
    <fieldset className="section form">
      <legend>Verdict</legend>
      <Field label="Gate file" hint="YAML, as in docs/gate.md; empty: the default policy">
        <Textarea rows={5} textarea={{ className: "mono", spellCheck: false }} value={t.gate} onChange={(_, d) => set({ gate: d.value })} />
      </Field>
      <div className="pair">
        <Field label="Verdict at most this old at a pull" hint="24h, 7d; empty: any age"><Input value={t.verdictMaxAge} onChange={(_, d) => set({ verdictMaxAge: d.value })} /></Field>
        <Field label="Owner of findings"><Input value={t.owner} onChange={(_, d) => set({ owner: d.value })} /></Field>
      </div>
    </fieldset>
  );
}

function Due({ t, set }: { t: RuleText; set: Set }) {
  return (
    <fieldset className="section">
      <legend>Days in which findings are to be fixed</legend>
      <Checkbox label="Set by this rule" checked={t.hasDue} onChange={(_, d) => set({ hasDue: !!d.checked })} />
      {t.hasDue && (
        <div className="five">
          {(["critical", "high", "medium", "low", "exploited"] as const).map((name) => (
            <Field key={name} label={name.charAt(0).toUpperCase() + name.slice(1)}>
              <Input style={{ minWidth: 0 }} input={{ style: { minWidth: 0 } }} inputMode="numeric" value={t.due[name]} onChange={(_, d) => set({ due: { ...t.due, [name]: d.value } })} />
            </Field>
          ))}
        </div>
      )}
    </fieldset>
  );
}

function Keeping({ t, set }: { t: RuleText; set: Set }) {
  const field = (label: string, name: keyof RuleText["retention"], hint?: string) => (
    <Field label={label} hint={hint}><Input value={t.retention[name]} onChange={(_, d) => set({ retention: { ...t.retention, [name]: d.value } })} /></Field>
  );
  return (
    <fieldset className="section form">
      <legend>Tags, quota and retention</legend>
      <div className="pair">
        <Field label="Tags that never move" hint="v*, release-*"><Input value={t.immutable} onChange={(_, d) => set({ immutable: d.value })} /></Field>
        <Field label="Quota of each repository" hint="10 GiB; empty: none"><Input value={t.quota} onChange={(_, d) => set({ quota: d.value })} /></Field>
      </div>
      <Checkbox label="Retention is set by this rule" checked={t.hasRetention} onChange={(_, d) => set({ hasRetention: !!d.checked })} />
      {t.hasRetention && (
        <div className="pair">
          {field("Keep the newest", "keepNewest", "tagged images")}
          {field("Keep what was pushed in the last", "keepDays", "days")}
          {field("Keep what was pulled in the last", "keepPulled", "days")}
          {field("Keep what is tagged", "keepTags", "patterns: v*, latest")}
          {field("Untagged images go after", "untagged", "days; empty keeps them")}
          {field("Can be restored for", "graceDays", "days; empty: 7")}
        </div>
      )}
    </fieldset>
  );
}

function Mirror({ t, set }: { t: RuleText; set: Set }) {
  const m = t.mirror;
  const put = (change: Partial<RuleText["mirror"]>) => set({ mirror: { ...m, ...change } });
  return (
    <fieldset className="section form">
      <legend>Mirror</legend>
      <Checkbox label="These repositories are copies of another registry's" checked={t.hasMirror} onChange={(_, d) => set({ hasMirror: !!d.checked })} />
      {t.hasMirror && (
        <>
          <div className="pair">
            <Field label="Source" hint="registry.example/library" required><Input value={m.source} onChange={(_, d) => put({ source: d.value })} /></Field>
            <CredentialField value={m.credential} onChange={(credential) => put({ credential })} />
            <Field label="Tags to fetch" hint="patterns"><Input value={m.tags} onChange={(_, d) => put({ tags: d.value })} /></Field>
            <Field label="Every" hint="6h, 1d"><Input value={m.every} onChange={(_, d) => put({ every: d.value })} /></Field>
            <Field label="Platforms" hint="linux/amd64, linux/arm64; empty: all"><Input value={m.platforms} onChange={(_, d) => put({ platforms: d.value })} /></Field>
          </div>
          <Field label="Authorities of the source" hint="Certificates in PEM that are trusted beside the system's; empty: none">
            <Textarea rows={2} textarea={{ className: "mono", spellCheck: false }} value={m.ca} onChange={(_, d) => put({ ca: d.value })} />
          </Field>
          <Checkbox label="Fetch what is asked for and not here" checked={m.onPull} onChange={(_, d) => put({ onPull: !!d.checked })} />
        </>
      )}
    </fieldset>
  );
}
