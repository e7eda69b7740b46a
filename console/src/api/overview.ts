import type { Counts, Database, Severity } from "./finding";
import type { Status } from "./images";
import { one, type List } from "./query";

export interface Attention {
  kind: string;
  title: string;
  count: number;
  severity: Severity;
  link: string;
}

export interface TrendPoint {
  day: string;
  counts: Counts;
  new: number;
  fixed: number;
  images: number;
}

export interface Overview {
  attention: Attention[] | null;
  repositories: number;
  images: number;
  byStatus: Partial<Record<Status, number>> | null;
  counts: Counts;
  exploited: number;
  overdue: number;
  size: number;
  trend: TrendPoint[] | null;
  database: Database;
}

export const overview = () => one<Overview>("/overview");
export const trend = (repository: string, days = 90) => one<List<TrendPoint>>("/trend", { repository, days });
