import { path } from "./fetch";
import type { EPSS, KEV, Severity } from "./finding";
import type { Tracked } from "./findings";
import type { Status } from "./images";
import { one, type List } from "./query";

export interface AffectedImage {
  repository: string;
  digest: string;
  tags?: string[];
  platform?: string;
  status: Status;
  findings: Tracked[] | null;
  running: string;
}

export interface Advisory {
  id: string;
  aliases?: string[];
  records?: string[];
  title?: string;
  details?: string;
  url?: string;
  severity: Severity;
  score?: number;
  vector?: string;
  cwe?: string[];
  kev?: KEV;
  epss?: EPSS;
  published?: string;
  modified?: string;
  withdrawn?: string;
  references?: string[];
  packages?: { ecosystem: string; name: string; fixed?: string; state?: string }[];
  images?: { items: AffectedImage[] | null; next?: string; total: number };
}

export const advisories = (search: string) => one<List<Advisory>>("/advisories", { search });
export const advisory = (id: string) => one<Advisory>(path`/advisories/${id}`, { limit: 1000 });
