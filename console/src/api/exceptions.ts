import { change, path } from "./fetch";
import type { Suppression } from "./finding";
import { one, type List } from "./query";

export const exceptionStates = ["requested", "approved", "refused", "revoked", "expired"] as const;

export interface Exception {
  id: number;
  repositories: string;
  as: "accepted" | "false-positive";
  suppression: Suppression;
  state: (typeof exceptionStates)[number];
  requestedBy: string;
  requestedAt: string;
  decidedBy?: string;
  decidedAt?: string;
  comment?: string;
  covers: number;
}

export interface ExceptionRequest {
  repositories: string;
  as: string;
  id?: string;
  package?: string;
  path?: string;
  reason: string;
  owner: string;
  expires: string;
}

export const exceptions = (state: string, repository: string) => one<List<Exception>>("/exceptions", { state, repository });
export const exception = (id: number) => one<Exception>(path`/exceptions/${id}`);
export const requestException = (r: ExceptionRequest) => change<Exception>("POST", "/exceptions", { body: r });
export const decideException = (id: number, to: string, comment: string) =>
  change<Exception>("POST", path`/exceptions/${id}/decision`, { body: { to, comment: comment || undefined } });
