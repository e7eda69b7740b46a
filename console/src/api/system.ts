import { change } from "./fetch";
import type { Counts, Database } from "./finding";
import { one, tagged, type List } from "./query";

export interface System {
  version: string;
  started?: string;
  address: string;
  storage?: { kind: string; used: number; free: number };
  database?: { kind: string; version?: string; schema?: number };
  encryption?: boolean;
  /** signingKey is the public key, PEM, of what the hub signs. */
  signingKey?: string;
  sources?: { kind: string; name?: string; connected: boolean; detail: string }[] | null;
  dropped?: Record<string, number> | null;
}

export interface DatabaseStatus {
  database: Database;
  source?: string;
  checked?: string;
  error?: string;
  stale: boolean;
  ecosystems?: { name: string; records: number; newest?: string }[];
}

export interface Settings {
  banner?: string;
  outdatedAfter?: string;
  reportEvery?: string;
  databaseEvery?: string;
}

export interface Outdated {
  repository: string;
  digest: string;
  tags?: string[];
  created?: string;
  pushed: string;
  scanned?: string;
  baseName?: string;
  fixable: number;
  counts: Counts;
  reasons: { kind: string; message: string }[] | null;
}

export const system = () => one<System>("/system");
export const database = () => one<DatabaseStatus>("/database");
export const updateDatabase = () => change<{ job: number }>("POST", "/database/update");
export const settings = () => tagged<Settings>("/settings");
export const changeSettings = (body: Settings, etag: string) => change<Settings>("PUT", "/settings", { body, etag });
export const outdated = (reason: string) => one<List<Outdated>>("/reports/outdated", { reason });
