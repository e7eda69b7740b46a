import { change, path } from "./fetch";
import { one, tagged, type List } from "./query";

/** Signer is one signature that is required: exactly one of keys (PEM), keyless and notation is set. */
export interface Signer {
  name: string;
  keys?: string[];
  keyless?: { issuer: string; identity: string; root: string };
  notation?: { certificates: string[]; identities: string[] };
}

/** Attestation is a statement that is required; predicate is its type, or "sbom", "provenance", "vulnerability-scan". */
export interface Attestation {
  predicate: string;
  signer: Signer;
  builder?: string;
  maxAge?: string;
}

export interface TrustRule {
  signers?: Signer[];
  attestations?: Attestation[];
}

export interface Rule {
  id: number;
  order: number;
  name: string;
  pattern: string;
  mode?: "observe" | "enforce" | "";
  gate?: string;
  verdictMaxAge?: string;
  due?: { critical: number; high: number; medium: number; low: number; exploited: number };
  owner?: string;
  tags?: { immutable?: string[] };
  retention?: {
    keepNewest?: number;
    keepDays?: number;
    keepPulled?: number;
    keepTags?: string[];
    untagged?: number;
    graceDays?: number;
  };
  quota?: number;
  trust?: TrustRule;
  mirror?: { source: string; onPull?: boolean; tags?: string[]; every?: string; credential?: string; platforms?: string[]; ca?: string };
}

export type RuleInput = Omit<Rule, "id">;
export type Effective = Rule & { repository: string; from?: Record<string, string> };

export const rules = () => one<List<Rule>>("/rules");
export const rule = (id: number) => tagged<Rule>(path`/rules/${id}`);
export const effective = (repository: string) => one<Effective>("/rules/effective", { repository });
export const createRule = (r: RuleInput) => change<Rule>("POST", "/rules", { body: r });
export const changeRule = (id: number, r: RuleInput, etag: string) => change<Rule>("PUT", path`/rules/${id}`, { body: r, etag });
export const deleteRule = (id: number) => change("DELETE", path`/rules/${id}`);

export const importImage = (source: string, destination: string, credential: string) =>
  change<{ job: number }>("POST", "/imports", { body: { source, destination, credential: credential || undefined } });
export const collect = (dryRun: boolean) => change<{ job: number }>("POST", "/collections", { body: { dryRun } });

/** Credential is what imports and mirrors sign in with; the secret never comes back. */
export interface Credential {
  name: string;
  /** host is the registry that it is sent to and no other: "registry.example:5000". */
  host: string;
  user: string;
}

export const credentials = () => one<List<Credential>>("/credentials");
export const putCredential = (body: Credential & { secret: string }) => change<Credential>("POST", "/credentials", { body });
export const deleteCredential = (name: string) => change("DELETE", path`/credentials/${name}`);
