import { one, pages } from "./query";

export interface Actor {
  kind: string;
  id: string;
  name?: string;
  via?: string;
  address?: string;
}

export interface AuditRecord {
  id: string;
  time: string;
  act?: string;
  actor: Actor;
  action: string;
  object: { kind: string; name: string };
  outcome: "intent" | "done" | "refused" | "failed";
  reason?: string;
  detail?: Record<string, string>;
  request?: string;
  seq: number;
  index: number;
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: string;
  note: string;
  key: string;
  pending: number;
}

export type AuditQuery = { actor?: string; action?: string; object?: string; from?: string; to?: string };

export const records = (q: AuditQuery) => pages<AuditRecord>("/audit", q, "before");
export const checkpoint = () => one<Checkpoint>("/audit/checkpoint");
