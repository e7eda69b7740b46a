import { change, path } from "./fetch";
import type { Severity } from "./finding";
import { one, pages, type List } from "./query";

export const forms = ["webhook", "email", "syslog", "slack", "teams"] as const;

export interface Target {
  id: number;
  name: string;
  form: (typeof forms)[number];
  url: string;
  to?: string[];
  hasSecret: boolean;
}

export interface NotifyRule {
  id: number;
  name: string;
  target: number;
  kinds?: string[];
  severity: Severity;
  repositories?: string;
  digest?: number;
  disabled?: boolean;
}

export interface Delivery {
  id: number;
  rule: number;
  target: number;
  events: { id: string; kind: string; title: string; severity: Severity }[] | null;
  state: "waiting" | "sent" | "failed";
  attempts: number;
  created: string;
  notBefore: string;
  sent?: string;
  error?: string;
}

export type TargetInput = { name: string; form: string; url: string; to?: string[]; secret?: string };

export const targets = () => one<List<Target>>("/notify/targets");
export const createTarget = (body: TargetInput) => change<Target>("POST", "/notify/targets", { body });
export const changeTarget = (id: number, body: TargetInput) => change<Target>("PUT", path`/notify/targets/${id}`, { body });
export const deleteTarget = (id: number) => change("DELETE", path`/notify/targets/${id}`);
export const testTarget = (id: number) => change("POST", path`/notify/targets/${id}/test`);

export const notifyRules = () => one<List<NotifyRule>>("/notify/rules");
export const createNotifyRule = (body: NotifyRule) => change<NotifyRule>("POST", "/notify/rules", { body });
export const changeNotifyRule = (body: NotifyRule) => change<NotifyRule>("PUT", path`/notify/rules/${body.id}`, { body });
export const deleteNotifyRule = (id: number) => change("DELETE", path`/notify/rules/${id}`);
export const deliveries = () => pages<Delivery>("/notify/deliveries", {}, "before");
