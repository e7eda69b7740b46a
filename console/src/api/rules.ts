import { change, path } from "./fetch";
import { one, tagged, type List } from "./query";

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
  trust?: { signers?: unknown[]; attestations?: unknown[] };
  mirror?: { source: string; onPull?: boolean; tags?: string[]; every?: string; credential?: string };
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
