// A hub of made-up data for developing and testing the console: `npm run mock`, then http://127.0.0.1:5199, as
// mira with the password "seawall"; eve has to change hers, totp is asked for a code (any six digits). It serves the
// built console under the same policy as embed.go does. Changes live until it ends.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import * as data from "./data.mjs";

const dist = new URL("../dist/", import.meta.url).pathname;
const root = "/api/v1";
const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };

class Problem extends Error {
  constructor(status, title, detail = "", type = "about:blank") {
    super(title);
    this.body = { type, title, status, detail, request: data.hex(16) };
  }
}

const providers = [{ id: "company", title: "Example Login", url: "/signin/oidc/company" }];
// One session for each cookie; session is that of the request in hand.
const sessions = new Map();
let session;
const signedOut = () => ({ signedIn: false, permissions: [], providers });
const listeners = new Set();
const tell = (topic, key) => listeners.forEach((s) => s.write(`event: ${topic}\ndata: ${JSON.stringify({ topic, key })}\n\n`));

function list(items, query, by = "cursor") {
  const from = Number(query.get(by) || 0);
  const limit = Number(query.get("limit") || 100);
  const page = items.slice(from, from + limit);
  return { items: page, next: from + limit < items.length ? String(from + limit) : undefined, total: items.length };
}
const group = (items, by) => items.reduce((all, x) => (((all[by(x)] ??= []).push(x)), all), {});
const has = (q, ...texts) => !q || texts.some((t) => String(t ?? "").toLowerCase().includes(q.toLowerCase()));

function selectImages(q) {
  const worst = { rejected: 0, quarantined: 1, received: 2, released: 3 };
  const found = data.images.filter((m) =>
    (!q.get("repository") || m.repository === q.get("repository")) && has(q.get("search"), m.repository, m.digest, ...m.tags) && (!q.get("kind") || m.kind === q.get("kind")) &&
    (!q.get("status") || m.status === q.get("status")) && (!q.get("decision") || m.scan?.decision === q.get("decision")) && (!q.get("untagged") || m.tags.length === 0) && !!m.deleted === (q.get("deleted") === "true") &&
    (!q.get("finding") || data.results.get(m.digest)?.findings.some((f) => f.id === q.get("finding"))));
  const by = { name: (a, b) => (a.repository < b.repository ? -1 : 1), verdict: (a, b) => worst[a.status] - worst[b.status], size: (a, b) => b.size - a.size }[q.get("sort")];
  return by ? [...found].sort(by) : found;
}

function selectFindings(q) {
  const rank = ["critical", "high", "medium", "low", "negligible", "unknown"];
  const now = new Date().toISOString();
  return data.tracked.filter((t) =>
    (!q.get("repository") || t.repository === q.get("repository")) && (!q.get("state") || t.state === q.get("state")) && (!q.get("severity") || rank.indexOf(t.severity) <= rank.indexOf(q.get("severity"))) &&
    (!q.get("type") || t.type === q.get("type")) && (!q.get("overdue") || t.due < now) && (!q.get("exploited") || t.exploited) && (!q.get("fixable") || t.fixedIn) && has(q.get("search"), t.id, t.package, t.repository));
}

const image = (r, d) => data.images.find((m) => m.repository === r && m.digest === d) ?? missing();
const missing = () => {
  throw new Problem(404, "Not found", "It was deleted, or you may not see it.");
};
const found = (x) => x ?? missing();
const tagged = (value) => ({ etag: `"${Buffer.from(JSON.stringify(value)).length}"`, value });
const record = (action, kind, name, reason) => {
  data.audit.unshift({ ...data.audit[0], id: data.hex(32), time: new Date().toISOString(), action, object: { kind, name }, outcome: "done", reason, detail: undefined, seq: data.audit[0].seq + 1, index: -1 });
  tell("audit");
};

// "METHOD /path/{part}" → (parts, query, body) => JSON
const routes = {
  "GET /session": () => session ?? signedOut(),
  "POST /session": (_, __, b) => {
    if (b.password !== "seawall") throw new Problem(401, "Not signed in", "The name or the password is wrong.");
    if (b.name === "totp" && !b.totp) throw new Problem(401, "A code is needed", "Type the code of your authenticator.", "totp-required");
    const permissions = data.actions.map((action) => ({ action, scope: { kind: "all" } }));
    return (session = { signedIn: true, principal: { kind: "user", id: `user:${b.name}`, name: b.name, groups: ["platform"] }, must: b.name === "eve" ? "password" : undefined, permissions, csrf: data.hex(32), expires: data.at(-0.4), providers });
  },
  "DELETE /session": () => void (session = undefined),
  "POST /session/password": () => void (session = { ...session, must: undefined }),
  "POST /session/totp": (_, __, b) => {
    if (b?.password !== "seawall") throw new Problem(403, "Refused", "The password is wrong.");
    return { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", url: "otpauth://totp/Seawall:mira?secret=JBSWY3DPEHPK3PXP&issuer=Seawall", png: data.pixel };
  },
  "DELETE /session/totp": () => undefined,
  "POST /session/totp/confirm": () => ({ codes: ["k3v9-2mqx", "p7r4-x8wd", "c2f6-9hjt"] }),
  "GET /overview": () => data.overview(),
  "GET /trend": () => ({ items: data.trend(), total: 60 }),
  "GET /repositories": (_, q) => list(data.repositories.filter((r) => has(q.get("search"), r.name)), q),
  "GET /repositories/{r}": ({ r }) => found(data.repositories.find((x) => x.name === r)),
  "GET /repositories/{r}/tags": ({ r }, q) => list(data.images.filter((m) => m.repository === r).flatMap((m) => m.tags.map((name) => ({ repository: r, name, digest: m.digest, updated: m.pushed, by: m.pushedBy }))), q),
  "GET /images": (_, q) => list(selectImages(q), q),
  "GET /repositories/{r}/images/{d}": ({ r, d }) => tagged(image(r, d)),
  "DELETE /repositories/{r}/images/{d}": ({ r, d }) => ((image(r, d).deleted = new Date().toISOString()), undefined),
  "POST /repositories/{r}/images/{d}/restore": ({ r, d }) => ((image(r, d).deleted = undefined), image(r, d)),
  "GET /repositories/{r}/images/{d}/findings": ({ r, d }) => {
    const m = image(r, d);
    const { findings } = found(data.results.get(d));
    const upgrades = Object.values(group(findings.filter((f) => f.fixed && !f.suppressed), (f) => f.package.name)).map((fs) => ({
      kind: "package", package: fs[0].package.name, from: fs[0].package.version, to: fs[0].fixed, ids: fs.map((f) => f.id), fixes: fs.reduce((c, f) => (c[f.severity]++, c), data.zero()),
    })).sort((a, b) => b.ids.length - a.ids.length);
    return { items: findings, total: findings.length, upgrades, coverage: [{ ecosystem: "Debian:12", packages: 134, records: 48210 }], gaps: m.scan.gaps ? [{ kind: "end-of-life", where: "Debian:10", detail: "Debian 10 gets no advisories any more" }] : [], distro: { name: m.scan.distro }, database: data.database, tool: "seawall 1.0.0", scannedAt: m.scan.scanned, imported: [] };
  },
  "GET /repositories/{r}/images/{d}/packages": (_, q) => list(data.manyPackages.filter((p) => has(q.get("search"), p.name)), q),
  "GET /repositories/{r}/images/{d}/executables": (_, q) => list(data.executables.filter((x) => has(q.get("search"), x.path)), q),
  "GET /repositories/{r}/images/{d}/secrets": ({ r, d }, q) => list(image(r, d).scan?.secrets ? data.secrets : [], q),
  "GET /repositories/{r}/images/{d}/checks": (_, q) => list(data.checks, q),
  "GET /repositories/{r}/images/{d}/layers": ({ d }, q) => list(data.layers(d), q),
  "GET /repositories/{r}/images/{d}/custody": ({ r, d }) => data.custody(image(r, d)),
  "GET /repositories/{r}/images/{d}/referrers": (_, q) => list([{ digest: data.digest(), mediaType: "application/vnd.oci.image.manifest.v1+json", artifactType: "application/vnd.cyclonedx+json", size: 48210 }], q),
  "POST /repositories/{r}/images/{d}/scan": () => ({ job: 5001 }),
  "PUT /repositories/{r}/images/{d}/override": ({ r, d }, _, b) => {
    const m = image(r, d);
    m.override = { ...b, by: session.principal.name, at: new Date().toISOString() };
    record(`image.${b.status === "released" ? "release" : "reject"}`, "image", `${r}@${d}`, b.reason);
    tell("images", r);
    return m;
  },
  "DELETE /repositories/{r}/images/{d}/override": ({ r, d }) => ((image(r, d).override = undefined), image(r, d)),
  // Not part of the API: makes an image arrive, as a push from outside would.
  "POST /arrive": (_, __, b) => {
    data.images.unshift({ ...data.images.find((m) => m.scan), repository: b.repository, digest: data.digest(), tags: ["1"], pushed: new Date().toISOString() });
    tell("images", b.repository);
  },
  "GET /findings": (_, q) => list(selectFindings(q), q),
  "GET /findings/{key}": ({ key }) => tagged(found(data.tracked.find((t) => t.key === key))),
  "PATCH /findings/{key}": ({ key }, _, b) => Object.assign(found(data.tracked.find((t) => t.key === key)), { owner: b.owner, due: b.due && new Date(b.due).toISOString() }),
  "GET /advisories": (_, q) => list(data.advisories.filter((a) => has(q.get("search"), a.id, a.title, ...a.packages.map((p) => p.name))), q),
  "GET /advisories/{id}": ({ id }) => {
    const a = found(data.advisories.find((x) => x.id === id));
    const hits = data.images.filter((m) => data.results.get(m.digest)?.findings.some((f) => f.id === id));
    return { ...a, images: { total: hits.length, items: hits.map((m) => ({ repository: m.repository, digest: m.digest, tags: m.tags, platform: m.platform, status: m.status, running: "no source connected", findings: data.results.get(m.digest).findings.filter((f) => f.id === id).map((f) => ({ package: f.package.name, version: f.package.version, fixedIn: f.fixed, state: f.tracked.state, key: f.tracked.key })) })) } };
  },
  "GET /exceptions": (_, q) => list(data.exceptions.filter((e) => !q.get("state") || e.state === q.get("state")), q),
  "POST /exceptions": (_, __, b) => {
    const { repositories, as, ...suppression } = b;
    const e = { id: data.exceptions.length + 1, repositories, as, suppression: { source: "hub", ...suppression }, state: "requested", requestedBy: session.principal.name, requestedAt: new Date().toISOString(), covers: 0 };
    data.exceptions.unshift(e);
    record("exception.request", "exception", String(e.id), b.reason);
    tell("exceptions");
    return e;
  },
  "POST /exceptions/{id}/decision": ({ id }, _, b) => {
    const e = found(data.exceptions.find((x) => String(x.id) === id));
    if (b.to === "approved" && e.requestedBy === session.principal.name) throw new Problem(403, "Somebody else has to approve it", "Who asked for an exception may not approve it.", "four-eyes");
    return Object.assign(e, { state: b.to, comment: b.comment, decidedBy: session.principal.name, decidedAt: new Date().toISOString() });
  },
  "GET /rules": (_, q) => list(data.rules, q),
  "GET /rules/effective": (_, q) => ({ ...data.rules[2], ...(q.get("repository").startsWith("platform/") ? data.rules[0] : {}), repository: q.get("repository"), from: { mode: "production", gate: "production", due: "production", retention: "everything else", quota: "everything else" } }),
  "GET /rules/{id}": ({ id }) => tagged(found(data.rules.find((r) => String(r.id) === id))),
  "POST /rules": (_, __, b) => (data.rules.push({ id: data.rules.length + 1, ...b }), data.rules.at(-1)),
  "PUT /rules/{id}": ({ id }, _, b) => ((data.rules[data.rules.findIndex((r) => String(r.id) === id)] = { id: Number(id), ...b }), b),
  "DELETE /rules/{id}": ({ id }) => void data.rules.splice(data.rules.findIndex((r) => String(r.id) === id), 1),
  "GET /credentials": (_, q) => list(data.credentials, q),
  "POST /credentials": (_, __, b) => (data.credentials.push({ name: b.name, host: b.host, user: b.user }), data.credentials.at(-1)),
  "DELETE /credentials/{name}": ({ name }) => void data.credentials.splice(data.credentials.findIndex((c) => c.name === name), 1),
  "POST /repositories/{r}/images/{d}/reports": () => ({ source: "grype", findings: 3 }),
  "POST /imports": () => ({ job: 5002 }),
  "POST /collections": () => ({ job: 5003 }),
  "GET /users": (_, q) => list(data.users.filter((u) => has(q.get("search"), u.name)), q),
  "POST /users": (_, __, b) => (data.users.push({ id: `user:${b.name}`, name: b.name, email: b.email, hasTotp: false, disabled: false, mustChangePassword: true, created: new Date().toISOString() }), { user: data.users.at(-1), password: "correct-horse-battery" }),
  "PATCH /users/{id}": ({ id }, _, b) => Object.assign(found(data.users.find((u) => u.id === id)), b),
  "DELETE /users/{id}/totp": ({ id }) => void (found(data.users.find((u) => u.id === id)).hasTotp = false),
  "POST /users/{id}/password": () => ({ password: "correct-horse-battery" }),
  "GET /services": (_, q) => list(data.services, q),
  "GET /services/{id}/secrets": (_, q) => list([{ ...data.tokens[0], id: "sec-1", title: "pipeline" }], q),
  "POST /services/{id}/secrets": (_, __, b) => ({ token: { ...data.tokens[0], ...b }, secret: `sws_${data.hex(40)}` }),
  "GET /roles": (_, q) => list(data.roles, q),
  "POST /roles": (_, __, b) => (data.roles.splice(0, data.roles.length, ...data.roles.filter((r) => r.name !== b.name), b), b),
  "GET /grants": (_, q) => list(data.grants, q),
  "POST /grants": (_, __, b) => (data.grants.push({ ...b, id: data.grants.length + 1 }), b),
  "DELETE /grants/{id}": ({ id }) => void data.grants.splice(data.grants.findIndex((g) => String(g.id) === id), 1),
  "GET /issuers": (_, q) => list(data.issuers, q),
  "POST /issuers": (_, __, b) => (data.issuers.splice(0, data.issuers.length, ...data.issuers.filter((i) => i.id !== b.id), b), b),
  "GET /who-can": (_, q) => list([{ subject: "user:mira", name: "mira", role: "owner", scope: { kind: "all" } }, { subject: "service:ci", name: "ci", role: "pusher", scope: { kind: "repository", name: "shop/**" } }], q),
  "GET /tokens": (_, q) => list(data.tokens, q),
  "POST /tokens": (_, __, b) => (data.tokens.push({ ...data.tokens[0], ...b, id: data.hex(8) }), { token: data.tokens.at(-1), secret: `swt_${data.hex(40)}` }),
  "GET /sessions": (_, q) => list(data.sessions, q),
  "GET /keys": () => data.keys,
  "POST /keys/rotate": () => data.keys,
  "GET /audit": (_, q) => {
    const object = (q.get("object") ?? "").replace(/\*$/, "");
    const all = data.audit.filter((r) => (!object || r.object.name.startsWith(object)) && has(q.get("actor"), r.actor.name, r.actor.id) && (!q.get("action") || r.action === q.get("action")) && (!q.get("before") || r.seq < Number(q.get("before"))));
    const page = all.slice(0, Number(q.get("limit") || 100));
    return { items: page, next: all.length > page.length ? String(page.at(-1).seq) : undefined, total: -1 };
  },
  "GET /audit/checkpoint": () => ({ origin: "seawall.example.org/audit", size: 418, root: "qSpgY3ZsyOqDbQqIwq1yTDRFsfs0KSeXvCt4ZQbq4mI=", note: "seawall.example.org/audit\n418\n…", key: "seawall.example.org/audit+2f8e1a33+AVn2…", pending: 2 }),
  "GET /jobs": (_, q) => {
    const all = data.jobs.filter((j) => (!q.get("kind") || j.kind === q.get("kind")) && (!q.get("state") || j.state === q.get("state")) && (!q.get("before") || j.id < Number(q.get("before"))));
    const page = all.slice(0, Number(q.get("limit") || 100));
    return { items: page, next: all.length > page.length ? String(page.at(-1).id) : undefined, total: -1 };
  },
  "GET /jobs/counts": (_, q) => list(Object.values(group(data.jobs, (j) => j.kind + j.state)).map((js) => ({ kind: js[0].kind, state: js[0].state, count: js.length, oldest: js.at(-1).created })), q),
  "POST /jobs/{id}/cancel": ({ id }) => ((found(data.jobs.find((j) => String(j.id) === id)).state = "cancelled"), undefined),
  "POST /jobs/{id}/retry": ({ id }) => ((found(data.jobs.find((j) => String(j.id) === id)).state = "waiting"), undefined),
  "GET /notify/targets": (_, q) => list(data.targets, q),
  "POST /notify/targets": (_, __, b) => (data.targets.push({ id: data.targets.length + 1, ...b, hasSecret: !!b.secret, secret: undefined }), data.targets.at(-1)),
  "POST /notify/targets/{id}/test": () => undefined,
  "GET /notify/rules": (_, q) => list(data.notifyRules, q),
  "GET /notify/deliveries": (_, q) => list(data.deliveries, q, "before"),
  "GET /database": () => ({ database: data.database, source: "https://advisories.example.org", checked: data.at(0.1), stale: false, ecosystems: [{ name: "Debian:12", records: 48210, newest: data.at(0.7) }, { name: "npm", records: 21044, newest: data.at(0.9) }, { name: "Go", records: 4120, newest: data.at(1.2) }] }),
  "POST /database/update": () => ({ job: 5004 }),
  "GET /settings": () => tagged({ outdatedAfter: "90d", databaseEvery: "12h" }),
  "PUT /settings": (_, __, b) => b,
  "GET /system": () => data.system,
  "GET /reports/outdated": (_, q) => list(data.outdated.filter((o) => !q.get("reason") || o.reasons.some((r) => r.kind === q.get("reason"))), q),
};

const table = Object.entries(routes).map(([route, act]) => {
  const [method, path] = route.split(" ");
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
  return { method, act, names, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "([^/]+)")}$`), literal: names.length };
}).sort((a, b) => a.literal - b.literal);

async function api(request, response, url) {
  const path = url.pathname.slice(root.length);
  if (path === "/events") return events(request, response);
  const body = request.method === "GET" ? undefined : await read(request);
  session = sessions.get(cookie(request)); // from here on nothing is awaited
  const route = table.find((r) => r.method === request.method && r.pattern.test(path));
  if (!route) throw new Problem(404, "Not found", `${request.method} ${path} is not part of the made-up hub.`);
  if (path !== "/session" && !session) throw new Problem(401, "Not signed in", "Sign in first.");
  if (request.method !== "GET" && path !== "/session" && request.headers["x-csrf-token"] !== session.csrf) throw new Problem(403, "Refused", "The CSRF token is missing.");
  const parts = Object.fromEntries(route.pattern.exec(path).slice(1).map((v, i) => [route.names[i], decodeURIComponent(v)]));
  const answer = act(request, response, route, parts, url.searchParams, body);
  if (answer === undefined) return response.writeHead(204).end();
  if (answer.etag) response.setHeader("ETag", answer.etag);
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer.etag ? answer.value : answer));
}

const cookie = (request) => /seawall=(\w+)/.exec(request.headers.cookie ?? "")?.[1];

function act(request, response, route, parts, query, body) {
  const answer = route.act(parts, query, body);
  let id = cookie(request);
  if (session && !id) {
    id = data.hex(24);
    response.setHeader("Set-Cookie", `seawall=${id}; HttpOnly; Path=/; SameSite=Strict`);
  }
  if (session) sessions.set(id, session);
  else if (id) sessions.delete(id);
  return answer;
}

async function read(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : undefined;
}

function events(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(": hello\n\n");
  listeners.add(response);
  request.on("close", () => listeners.delete(response));
}

function files(response, url) {
  const file = join(dist, normalize(url.pathname));
  const type = types[extname(file)];
  if (type && !file.endsWith("index.html") && existsSync(`${file}.gz`)) {
    return response.writeHead(200, { "Content-Type": type }).end(gunzipSync(readFileSync(`${file}.gz`)));
  }
  if (url.pathname.startsWith("/assets/")) return response.writeHead(404).end();
  const nonce = randomBytes(18).toString("base64url");
  response.writeHead(200, {
    "Content-Type": types[".html"],
    "Content-Security-Policy": `default-src 'self'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'`,
  });
  response.end(readFileSync(join(dist, "index.html"), "utf8").replaceAll("SEAWALL_CSP_NONCE", nonce));
}

/** start serves on a port of loopback, 0 for any, and returns the server. */
export function start(port) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://hub");
    try {
      if (url.pathname.startsWith(`${root}/`)) await api(request, response, url);
      else files(response, url);
    } catch (fault) {
      const body = fault.body ?? { type: "about:blank", title: "The made-up hub failed", status: 500, detail: String(fault.stack) };
      response.writeHead(body.status, { "Content-Type": "application/problem+json" }).end(JSON.stringify(body));
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await start(Number(process.env.PORT ?? 5199));
  console.log(`http://127.0.0.1:${server.address().port}`);
}
