import type { Rule, RuleInput } from "../api/rules";
import { bytes, parseBytes } from "./format";
import { trustRule, trustText, type TrustText } from "./trustForm";

/** RuleText is a rule as its form holds it: text, and which sections it has. */
export interface RuleText {
  order: string;
  name: string;
  pattern: string;
  mode: string;
  gate: string;
  verdictMaxAge: string;
  owner: string;
  immutable: string;
  quota: string;
  hasDue: boolean;
  due: Record<"critical" | "high" | "medium" | "low" | "exploited", string>;
  hasRetention: boolean;
  retention: Record<"keepNewest" | "keepDays" | "keepPulled" | "keepTags" | "untagged" | "graceDays", string>;
  trust: TrustText;
  hasMirror: boolean;
  mirror: { source: string; onPull: boolean; tags: string; every: string; credential: string; platforms: string; ca: string };
}

const number = (n: number | undefined) => (n ? String(n) : "");

/** toText fills the form from a rule; without one it is that of a new rule. */
export function toText(r?: Rule): RuleText {
  const due = r?.due ?? { critical: 7, high: 30, medium: 90, low: 180, exploited: 3 };
  return {
    order: String(r?.order ?? 10),
    name: r?.name ?? "",
    pattern: r?.pattern ?? "",
    mode: r?.mode ?? "",
    gate: r?.gate ?? "",
    verdictMaxAge: r?.verdictMaxAge && r.verdictMaxAge !== "0s" ? r.verdictMaxAge : "",
    owner: r?.owner ?? "",
    immutable: r?.tags?.immutable?.join(", ") ?? "",
    quota: r?.quota ? bytes(r.quota) : "",
    hasDue: !!r?.due,
    due: { critical: String(due.critical), high: String(due.high), medium: String(due.medium), low: String(due.low), exploited: String(due.exploited) },
    hasRetention: !!r?.retention,
    retention: {
      keepNewest: number(r?.retention?.keepNewest),
      keepDays: number(r?.retention?.keepDays),
      keepPulled: number(r?.retention?.keepPulled),
      keepTags: r?.retention?.keepTags?.join(", ") ?? "",
      untagged: number(r?.retention?.untagged),
      graceDays: number(r?.retention?.graceDays),
    },
    trust: trustText(r?.trust),
    hasMirror: !!r?.mirror,
    mirror: {
      source: r?.mirror?.source ?? "",
      onPull: r?.mirror?.onPull ?? true,
      tags: r?.mirror?.tags?.join(", ") ?? "",
      every: r?.mirror?.every && r.mirror.every !== "0s" ? r.mirror.every : "",
      credential: r?.mirror?.credential ?? "",
      platforms: r?.mirror?.platforms?.join(", ") ?? "",
      ca: r?.mirror?.ca ?? "",
    },
  };
}

/** toRule reads the form; it throws an Error that says which field is wrong. */
export function toRule(t: RuleText): RuleInput {
  const r: RuleInput = { order: whole("Order", t.order), name: t.name.trim(), pattern: t.pattern.trim() };
  if (t.mode) r.mode = t.mode as "observe" | "enforce";
  if (t.gate.trim()) r.gate = t.gate;
  if (t.verdictMaxAge.trim()) r.verdictMaxAge = t.verdictMaxAge.trim();
  if (t.owner.trim()) r.owner = t.owner.trim();
  if (t.immutable.trim()) r.tags = { immutable: words(t.immutable) };
  if (t.quota.trim()) r.quota = quota(t.quota);
  if (t.hasDue) {
    const days = (name: keyof RuleText["due"]) => whole(`Days for ${name}`, t.due[name]);
    r.due = { critical: days("critical"), high: days("high"), medium: days("medium"), low: days("low"), exploited: days("exploited") };
  }
  if (t.hasRetention) r.retention = retention(t.retention);
  const trust = trustRule(t.trust);
  if (trust) r.trust = trust;
  if (t.hasMirror) {
    const m = t.mirror;
    r.mirror = {
      source: m.source.trim(), onPull: m.onPull, tags: words(m.tags), every: m.every.trim() || undefined, credential: m.credential.trim() || undefined,
      platforms: m.platforms.trim() ? words(m.platforms) : undefined, ca: m.ca.trim() ? m.ca : undefined,
    };
  }
  return r;
}

function retention(t: RuleText["retention"]): RuleInput["retention"] {
  const days = (name: "keepNewest" | "keepDays" | "keepPulled" | "untagged" | "graceDays") => (t[name].trim() ? whole(name, t[name]) : undefined);
  return {
    keepNewest: days("keepNewest"), keepDays: days("keepDays"), keepPulled: days("keepPulled"),
    keepTags: words(t.keepTags), untagged: days("untagged"), graceDays: days("graceDays"),
  };
}

function quota(text: string): number {
  const n = parseBytes(text);
  if (Number.isNaN(n)) throw new Error(`Quota: “${text}” is no size; write 10 GiB`);
  return n;
}

function whole(field: string, text: string): number {
  if (!/^\d{1,9}$/.test(text.trim())) throw new Error(`${field}: “${text}” is no whole number`);
  return Number(text);
}

function words(text: string): string[] {
  return text.split(/[,\s]+/).filter(Boolean);
}
