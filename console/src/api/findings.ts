import { change, path } from "./fetch";
import type { Severity } from "./finding";
import { pages, tagged } from "./query";

export const findingStates = ["open", "accepted", "false-positive", "fixed"] as const;

export interface Tracked {
  key: string;
  repository: string;
  type: "vulnerability" | "secret" | "check";
  id: string;
  aliases?: string[];
  title?: string;
  package?: string;
  version?: string;
  fixedIn?: string;
  severity: Severity;
  exploited?: boolean;
  epss?: number;
  state: string;
  firstSeen: string;
  lastSeen: string;
  fixedAt?: string;
  due?: string;
  owner?: string;
  exception?: number;
  digests?: string[];
  source: string;
}

export type FindingsQuery = {
  repository?: string;
  id?: string;
  type?: string;
  state?: string;
  severity?: string;
  overdue?: boolean;
  exploited?: boolean;
  fixable?: boolean;
  owner?: string;
  search?: string;
  source?: string;
};

export const findings = (q: FindingsQuery) => pages<Tracked>("/findings", q);
export const finding = (key: string) => tagged<Tracked>(path`/findings/${key}`);
export const changeFinding = (key: string, owner: string, due: string, etag: string) =>
  change<Tracked>("PATCH", path`/findings/${key}`, { body: { owner, due }, etag });
