import type { Actor } from "./audit";
import { change, path } from "./fetch";
import { one, pages, type List } from "./query";

export const jobStates = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];

export interface Job {
  id: number;
  kind: string;
  key: string;
  state: JobState;
  priority: number;
  attempts: number;
  maxAttempts: number;
  runAt: string;
  created: string;
  started?: string;
  finished?: string;
  leasedBy?: string;
  leasedUntil?: string;
  progress?: string;
  error?: string;
  by: Actor;
}

export interface JobCount {
  kind: string;
  state: JobState;
  count: number;
  oldest?: string;
}

export const jobs = (q: { kind?: string; state?: string; key?: string }) => pages<Job>("/jobs", q, "before");
export const jobCounts = () => one<List<JobCount>>("/jobs/counts");
export const cancelJob = (id: number) => change("POST", path`/jobs/${id}/cancel`);
export const retryJob = (id: number) => change("POST", path`/jobs/${id}/retry`);
