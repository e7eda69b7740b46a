// The one fetcher. Everything that the console shows or does goes through /api/v1.

const root = "/api/v1";

/** Problem is an error that the hub answered (RFC 9457), or the lack of an answer (status 0). */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly request: string;
  readonly errors: { field: string; message: string }[];

  constructor(p: Partial<Pick<Problem, "status" | "type" | "title" | "detail" | "request" | "errors">>) {
    super(p.detail || p.title || "no answer");
    this.status = p.status ?? 0;
    this.type = p.type ?? "about:blank";
    this.title = p.title ?? "No answer";
    this.detail = p.detail ?? "";
    this.request = p.request ?? "";
    this.errors = p.errors ?? [];
  }
}

/** path joins a path whose values are percent-encoded, each as one segment: path`/repositories/${name}/tags`. */
export function path(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.reduce((all, part, i) => all + encodeURIComponent(String(values[i - 1])) + part);
}

export type Query = Record<string, string | number | boolean | undefined>;

/** address is the URL of a resource; empty parameters are left out. */
export function address(resource: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "" && value !== false) params.set(name, String(value));
  }
  const text = params.toString();
  return root + resource + (text ? `?${text}` : "");
}

let csrf = "";
let onSignedOut = () => {};

/** setCSRF keeps the token that goes with every change, as GET /session gave it. */
export function setCSRF(token: string | undefined) {
  csrf = token ?? "";
}

/** whenSignedOut is called when the hub says that the session is over. */
export function whenSignedOut(f: () => void) {
  onSignedOut = f;
}

export interface Options {
  query?: Query;
  body?: unknown;
  /** json is a body that is JSON text already. */
  json?: string;
  /** etag makes the change depend on the resource still being what it was. */
  etag?: string;
  signal?: AbortSignal;
}

/** Tagged is a single resource with the ETag that a change of it is based on. */
export interface Tagged<T> {
  value: T;
  etag: string;
}

/** get reads JSON. */
export async function get<T>(resource: string, options: Options = {}): Promise<T> {
  return body<T>(await send("GET", resource, options));
}

/** getTagged reads JSON with its ETag. */
export async function getTagged<T>(resource: string, options: Options = {}): Promise<Tagged<T>> {
  const response = await send("GET", resource, options);
  return { value: await body<T>(response), etag: response.headers.get("ETag") ?? "" };
}

/** change sends a request that changes something and reads the JSON of the answer, if there is any. */
export async function change<T = void>(method: "POST" | "PUT" | "PATCH" | "DELETE", resource: string, options: Options = {}): Promise<T> {
  return body<T>(await send(method, resource, options));
}

async function send(method: string, resource: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const content = options.json ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  if (content !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() ?? String(Math.random());
  if (options.etag) headers["If-Match"] = options.etag;
  let response: Response;
  try {
    response = await fetch(address(resource, options.query), {
      method,
      headers,
      body: content,
      signal: options.signal,
      credentials: "same-origin",
    });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") throw fault;
    throw new Problem({ title: "The hub does not answer", detail: "Check that it runs and that the network reaches it, then try again." });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  // A password or code that is asked for anew and is wrong says nothing about the session.
  if (problem.status === 401 && !problem.type.endsWith("wrong-credentials") && !(resource === "/session" && method === "POST")) onSignedOut();
  throw problem;
}

async function body<T>(response: Response): Promise<T> {
  if (response.status === 204 || response.status === 205) return undefined as T;
  const text = await response.text();
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem({ status: response.status, title: "The answer could not be read", detail: `${response.url} did not answer in JSON.` });
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback = { status: response.status, title: response.statusText || `The hub answered ${response.status}` };
  try {
    return new Problem({ ...fallback, ...(await response.json()) });
  } catch {
    return new Problem(fallback);
  }
}
