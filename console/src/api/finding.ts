// The JSON of package finding.

export const severities = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
export type Severity = (typeof severities)[number];
export type Counts = Record<Severity, number>;
export const decisions = ["pass", "warn", "fail", "not-evaluated"] as const;
export type Decision = (typeof decisions)[number];

export interface LayerRef {
  index: number;
  diffId: string;
  createdBy?: string;
  base?: boolean;
}

export interface Package {
  name: string;
  version: string;
  type: string;
  ecosystem?: string;
  sourceName?: string;
  sourceVersion?: string;
  arch?: string;
  purl?: string;
  licenses?: string[];
  path?: string;
  ownedBy?: string;
  layer?: LayerRef;
}

export interface Suppression {
  source: string;
  id?: string;
  package?: string;
  path?: string;
  identity?: string;
  reason?: string;
  owner?: string;
  expires?: string;
  origin?: string;
}

export interface KEV {
  added: string;
  due?: string;
  ransomware?: boolean;
}

export interface EPSS {
  score: number;
  percentile: number;
}

export interface Finding {
  id: string;
  aliases?: string[];
  advisories: string[] | null;
  title?: string;
  url?: string;
  package: Package;
  paths?: string[];
  fixed?: string;
  state: string;
  severity: Severity;
  severitySource?: string;
  score?: number;
  vector?: string;
  cwe?: string[];
  kev?: KEV;
  epss?: EPSS;
  published?: string;
  modified?: string;
  layer?: LayerRef;
  kernelHeaders?: boolean;
  suppressed?: Suppression;
}

export interface Executable {
  path: string;
  sha256: string;
  size: number;
  mode: number;
  script?: boolean;
  interpreter?: string;
  owner?: string;
  capabilities?: string[];
  layer?: LayerRef;
}

export interface Secret {
  rule: string;
  title: string;
  severity: Severity;
  path?: string;
  where?: string;
  line?: number;
  masked: string;
  deleted?: boolean;
  layer?: LayerRef;
  suppressed?: Suppression;
}

export interface Check {
  id: string;
  title: string;
  severity: Severity;
  detail: string;
  fix: string;
  paths?: string[];
  layer?: LayerRef;
  suppressed?: Suppression;
}

export interface Gap {
  kind: string;
  where?: string;
  detail: string;
}

export interface Upgrade {
  kind: "base" | "package";
  package?: string;
  from?: string;
  to?: string;
  fixes: Counts;
  ids?: string[];
}

export interface Coverage {
  ecosystem: string;
  packages: number;
  records: number;
  newest?: string;
  gap?: string;
  detail?: string;
}

export interface Database {
  digest?: string;
  builtAt?: string;
  records: number;
  starter?: boolean;
  signer?: string;
}

export interface GateReason {
  decision: Decision;
  rule: string;
  message: string;
  ids?: string[];
}

export interface Verdict {
  decision: Decision;
  reasons?: GateReason[];
  counts: Counts;
  suppressed?: number;
  setApart?: number;
  policy: string;
  policyDigest?: string;
  decidedAt: string;
}

/** total is the sum over all severities. */
export function total(counts: Counts | undefined): number {
  return severities.reduce((sum, s) => sum + (counts?.[s] ?? 0), 0);
}
