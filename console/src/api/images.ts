import { change, path } from "./fetch";
import type {
  Check, Counts, Coverage, Database, Decision, Executable, Finding, Gap, LayerRef, Package, Secret, Upgrade, Verdict,
} from "./finding";
import type { Tracked } from "./findings";
import { one, pages, tagged, type List } from "./query";

export const statuses = ["received", "quarantined", "released", "rejected", "not-scanned"] as const;
export type Status = (typeof statuses)[number];

export interface Reason {
  source: string;
  rule?: string;
  message: string;
  decision?: Decision;
}

export interface Override {
  status: Status;
  by: string;
  reason: string;
  at: string;
  expires?: string;
}

export interface Evaluation {
  scanned: string;
  matched: string;
  analyser: string;
  database: Database;
  decision: Decision;
  counts: Counts;
  secrets: number;
  checks: number;
  packages: number;
  fixable: number;
  gaps: number;
  distro?: string;
  endOfLife?: string;
  baseName?: string;
  baseDigest?: string;
  signers?: string[];
  attestations?: string[];
  error?: string;
}

export interface Manifest {
  repository: string;
  digest: string;
  kind: "image" | "index" | "artifact";
  mediaType: string;
  artifactType?: string;
  subject?: string;
  size: number;
  platform?: string;
  config?: string;
  blobs?: string[];
  children?: string[];
  tags?: string[];
  created?: string;
  pushed: string;
  pushedBy: string;
  pushedFrom?: string;
  origin?: string;
  pulled?: string;
  pulls: number;
  deleted?: string;
  status: Status;
  reasons?: Reason[];
  override?: Override;
  scan?: Evaluation;
}

export interface Track {
  key: string;
  state: string;
  firstSeen: string;
  due?: string;
  owner?: string;
  exception?: number;
}

export type ImageFinding = Finding & { tracked?: Track };

export interface ImageFindings {
  items: ImageFinding[] | null;
  total: number;
  upgrades: Upgrade[] | null;
  coverage: Coverage[] | null;
  gaps: Gap[] | null;
  distro: { name?: string; endOfLife?: string };
  database: Database;
  verdict?: Verdict;
  tool: string;
  scannedAt: string;
  imported: Tracked[] | null;
}

export type ImageLayer = LayerRef & { digest?: string; size?: number; packages: number; secrets: number; counts: Counts };

export interface CustodyStep {
  kind: string;
  known: boolean;
  at?: string;
  by?: string;
  from?: string;
  note?: string;
  detail?: Record<string, string>;
  audit?: { id: string; seq: number; index: number };
}

export interface Referrer {
  digest: string;
  mediaType: string;
  artifactType?: string;
  size: number;
  annotations?: Record<string, string>;
}

export type ImagesQuery = {
  repository?: string;
  search?: string;
  kind?: string;
  status?: string;
  decision?: string;
  finding?: string;
  untagged?: boolean;
  deleted?: boolean;
  sort?: string;
};

/** at is the path of an image. */
const at = (repository: string, digest: string) => path`/repositories/${repository}/images/${digest}`;

export const images = (q: ImagesQuery) => pages<Manifest>("/images", q);
export const image = (r: string, d: string) => tagged<Manifest>(at(r, d));
export const imageFindings = (r: string, d: string) => one<ImageFindings>(`${at(r, d)}/findings`, { suppressed: true });
export const imagePackages = (r: string, d: string, search: string) => pages<Package>(`${at(r, d)}/packages`, { search }, "cursor", 1000);
export const imageExecutables = (r: string, d: string, search: string) => pages<Executable>(`${at(r, d)}/executables`, { search }, "cursor", 1000);
export const imageSecrets = (r: string, d: string) => one<List<Secret>>(`${at(r, d)}/secrets`);
export const imageChecks = (r: string, d: string) => one<List<Check>>(`${at(r, d)}/checks`);
export const imageLayers = (r: string, d: string) => one<List<ImageLayer>>(`${at(r, d)}/layers`);
export const imageCustody = (r: string, d: string) => one<{ steps: CustodyStep[] | null }>(`${at(r, d)}/custody`);
export const imageReferrers = (r: string, d: string) => one<List<Referrer>>(`${at(r, d)}/referrers`);
/** importReport hands in another scanner's report, JSON text as the scanner wrote it; source names it where it does not. */
export const importReport = (r: string, d: string, json: string, source: string) =>
  change<{ source: string; findings: number }>("POST", `${at(r, d)}/reports`, { query: { source }, json });
/** imageFile is the path of something to download: "findings", "packages", "sbom", "result". */
export const imageFile = (r: string, d: string, what: string) => `${at(r, d)}/${what}`;

export const scanImage = (r: string, d: string) => change<{ job: number }>("POST", `${at(r, d)}/scan`);
export const overrideImage = (r: string, d: string, status: Status, reason: string, expires: string | undefined, etag: string) =>
  change<Manifest>("PUT", `${at(r, d)}/override`, { body: { status, reason, expires: expires || undefined }, etag });
export const liftOverride = (r: string, d: string, etag: string) => change<Manifest>("DELETE", `${at(r, d)}/override`, { etag });
export const deleteImage = (r: string, d: string) => change("DELETE", at(r, d));
export const restoreImage = (r: string, d: string) => change<Manifest>("POST", `${at(r, d)}/restore`);
