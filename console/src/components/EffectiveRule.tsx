import { useQuery } from "@tanstack/react-query";
import { effective, type Effective } from "../api/rules";
import { bytes } from "../lib/format";
import { Loaded } from "../ui/Fault";
import { Bones, Facts } from "../ui/Page";
import { Mark } from "./marks";

/** EffectiveRule is what holds for one repository, and which rule says so. */
export function EffectiveRule({ repository }: { repository: string }) {
  const query = useQuery({ ...effective(repository), enabled: repository !== "" });
  return (
    <Loaded query={query} bones={<Bones lines={6} />}>
      {(e) => <Facts items={sections(e)} />}
    </Loaded>
  );
}

function sections(e: Effective): [string, React.ReactNode][] {
  const from = (section: string, text: React.ReactNode, otherwise: React.ReactNode) => (
    <span className="rows">
      {text || <span className="dim">{otherwise}</span>}
      {e.from?.[section] && <span className="dim">by rule “{e.from[section]}”</span>}
    </span>
  );
  return [
    ["Mode", from("mode", <Mark tone={e.mode === "enforce" ? "warn" : "info"}>{e.mode === "enforce" ? "Enforce: only what is released is served" : "Observe: scan, mark, serve"}</Mark>, "")],
    ["Gate", from("gate", e.gate && <pre className="text">{e.gate}</pre>, "the default policy")],
    ["Verdict at most", from("verdictMaxAge", set(e.verdictMaxAge) && `${e.verdictMaxAge} old, else matched anew at a pull`, "any age")],
    ["To be fixed in", from("due", e.due && `critical ${e.due.critical}, high ${e.due.high}, medium ${e.due.medium}, low ${e.due.low}, exploited ${e.due.exploited} days`, "the default days")],
    ["Owner of findings", from("owner", e.owner, "none")],
    ["Tags that never move", from("tags", e.tags?.immutable?.join(", "), "none")],
    ["Retention", from("retention", e.retention && retention(e.retention), "everything is kept")],
    ["Quota", from("quota", e.quota ? bytes(e.quota) : "", "none")],
    ["Trust", from("trust", e.trust && trust(e.trust), "no signature is required")],
    ["Mirror of", from("mirror", e.mirror?.source, "no other registry")],
  ];
}

/** set reports whether a length of time is one: the hub writes none as "0s". */
export function set(duration: string | undefined): boolean {
  return !!duration && duration !== "0s";
}

function trust(t: NonNullable<Effective["trust"]>): string {
  const parts = [
    ...(t.signers ?? []).map((s) => `a signature of ${s.name}`),
    ...(t.attestations ?? []).map((a) => `${a.predicate} attested by ${a.signer.name}`),
  ];
  return parts.join(", ") || "nothing is required";
}

function retention(r: NonNullable<Effective["retention"]>): string {
  const parts = [
    r.keepNewest && `the ${r.keepNewest} newest`,
    r.keepDays && `pushed in ${r.keepDays} days`,
    r.keepPulled && `pulled in ${r.keepPulled} days`,
    r.keepTags?.length && `tagged ${r.keepTags.join(", ")}`,
  ].filter(Boolean);
  const untagged = r.untagged ? `; untagged images go after ${r.untagged} days` : "";
  return `keeps ${parts.join("; ") || "tagged images"}${untagged}; deleted for good after ${r.graceDays || 7} days`;
}
