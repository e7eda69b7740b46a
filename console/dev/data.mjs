// Made-up data of the shape of /api/v1: the same at every start, so that tests can name things.

let seed = 42;
const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
const pick = (list) => list[Math.floor(random() * list.length)];
const between = (a, b) => a + Math.floor(random() * (b - a + 1));
const hex = (n) => Array.from({ length: n }, () => Math.floor(random() * 16).toString(16)).join("");
const digest = () => `sha256:${hex(64)}`;
const now = Date.now();
const day = 86_400_000;
export const at = (daysAgo) => new Date(now - daysAgo * day).toISOString();
const zero = () => ({ critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 });
const severities = ["critical", "high", "medium", "low", "negligible", "unknown"];

export const database = { digest: digest(), builtAt: at(0.6), records: 412_873, signer: "seawall-advisories-2026" };

const titles = [
  "Heap buffer overflow in certificate parsing", "Use after free when a connection is reset", "Out-of-bounds read in decompression",
  "Denial of service by crafted regular expression", "Integer overflow in image header", "Path traversal in archive extraction",
  "Improper validation of a signature", "Race condition when temporary files are made", "Server-side request forgery in redirect handling",
  "Command injection by a file name", "Timing side channel in key comparison", "Uncontrolled recursion in XML parser",
];
const libraries = [
  ["libssl3", "openssl", "deb", "3.0.11-1~deb12u2", "3.0.15-1~deb12u1"], ["zlib1g", "zlib", "deb", "1:1.2.13.dfsg-1", ""],
  ["libc6", "glibc", "deb", "2.36-9+deb12u4", "2.36-9+deb12u9"], ["curl", "curl", "deb", "7.88.1-10+deb12u5", "7.88.1-10+deb12u8"],
  ["libexpat1", "expat", "deb", "2.5.0-1", "2.5.0-1+deb12u1"], ["perl-base", "perl", "deb", "5.36.0-7+deb12u1", ""],
  ["lodash", "", "npm", "4.17.15", "4.17.21"], ["express", "", "npm", "4.17.1", "4.19.2"], ["golang.org/x/net", "", "golang", "v0.17.0", "v0.33.0"],
  ["requests", "", "pypi", "2.28.1", "2.32.0"], ["jackson-databind", "", "maven", "2.13.2", "2.13.4.2"], ["libxml2", "libxml2", "deb", "2.9.14+dfsg-1.3~deb12u1", ""],
];
const packages = libraries.map(([name, sourceName, type, version]) => ({
  name, version, type, sourceName: sourceName || undefined, ecosystem: type === "deb" ? "Debian:12" : type, licenses: [pick(["MIT", "Apache-2.0", "GPL-2.0-or-later", "OpenSSL"])],
  path: type === "deb" ? "var/lib/dpkg/status" : `app/${type}.lock`, layer: { index: type === "deb" ? 0 : 3, diffId: "sha256:" + "a".repeat(64), base: type === "deb" },
}));

export const advisories = Array.from({ length: 64 }, (_, i) => {
  const [name, source, type, version, fixed] = libraries[i % libraries.length];
  const severity = i % 13 === 0 ? "critical" : severities[Math.min(4, between(1, 4))];
  return {
    id: `CVE-2026-${10001 + i * 37}`, aliases: [`GHSA-${["2q3f", "c8vw", "jm4x"][i % 3]}-${["p4rr", "hx52", "w6vf"][(i >> 2) % 3]}-${["9q2m", "xg3c", "r7pv"][(i >> 1) % 3]}`],
    records: [`DEBIAN-CVE-2026-${10001 + i * 37}`], title: titles[i % titles.length], details: `${titles[i % titles.length]}.\n\nA remote attacker who sends crafted input to an application that uses ${name} can make it fail, or run code in its place. All versions before ${fixed || "the next release"} are affected.`,
    severity, score: { critical: 9.8, high: 7.5, medium: 5.3, low: 3.1, negligible: 0 }[severity], vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: ["CWE-787"],
    kev: i % 13 === 0 ? { added: "2026-10-28", due: "2026-11-18", ransomware: i === 0 } : undefined, epss: { score: i % 13 === 0 ? 0.93 : random() * 0.2, percentile: random() },
    published: at(between(5, 300)), modified: at(between(0, 5)), references: ["https://www.example.org/advisories/" + i], packages: [{ ecosystem: type === "deb" ? "Debian:12" : type, name: source || name, fixed: fixed || undefined, state: fixed ? "fixed" : "unfixed" }],
    library: i % libraries.length, version,
  };
});

const names = [
  "platform/gateway", "platform/identity", "platform/scheduler", "shop/cart", "shop/checkout", "shop/catalogue-search-indexer-with-a-long-name", "shop/frontend",
  "data/ingest", "data/warehouse-loader", "tools/backup", "tools/mail-relay", "mirror/library/nginx", "mirror/library/postgres", "team/app",
];

function findingsOf(n) {
  return Array.from({ length: n }, (_, i) => {
    const a = advisories[(i * 7 + n) % advisories.length];
    const [, , , , fixed] = libraries[a.library];
    const p = packages[a.library];
    return {
      id: a.id, aliases: a.aliases, advisories: a.records, title: a.title, url: a.references[0], package: p, paths: [p.path], fixed: fixed || undefined,
      state: fixed ? "fixed" : pick(["unfixed", "deferred", "wont-fix"]), severity: a.severity, severitySource: `cvss:${a.records[0]}`, score: a.score || undefined, vector: a.vector, cwe: a.cwe, kev: a.kev, epss: a.epss,
      published: a.published, modified: a.modified, layer: p.layer,
      suppressed: i % 11 === 7 ? { source: "hub", reason: "The vulnerable function is not called", owner: "shop", expires: at(-30) } : undefined,
      tracked: { key: hex(32), state: i % 11 === 7 ? "accepted" : "open", firstSeen: at(between(2, 60)), due: at(between(-40, 12)), owner: pick(["platform", "shop", undefined]) },
    };
  }).filter((f, i, all) => all.findIndex((g) => g.id === f.id && g.package.name === f.package.name) === i)
    .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}

const count = (findings) => findings.filter((f) => !f.suppressed).reduce((c, f) => (c[f.severity]++, c), zero());

export const results = new Map();
export const images = [];
for (const [r, repository] of names.entries()) {
  for (let i = 0; i < (r === 3 ? 40 : 4); i++) {
    const d = digest();
    const findings = findingsOf([0, 6, 18, 40][(r + i) % 4]);
    const counts = count(findings);
    const waiting = r === 4 && i === 0;
    const held = r === 8 && i === 0;
    const rejected = !held && !waiting && i % 2 === 0 && findings.some((f) => f.kev && !f.suppressed);
    const status = waiting ? "received" : held ? "quarantined" : rejected ? "rejected" : "released";
    const decision = held ? "not-evaluated" : rejected ? "fail" : counts.high > 0 ? "warn" : "pass";
    const old = i * 6 + r / 3 + 0.02;
    const m = {
      repository, digest: d, kind: "image", mediaType: "application/vnd.oci.image.manifest.v1+json", size: between(8, 900) * 1024 * 1024, platform: i % 3 === 2 ? "linux/arm64" : "linux/amd64", config: digest(),
      tags: i === 0 ? ["latest", `1.${40 - i}.0`] : i % 5 === 4 ? [] : [`1.${40 - i}.0`], created: at(old + 1), pushed: at(old), pushedBy: i % 2 ? "service:ci" : "user:mira", pushedFrom: "10.20.4.17",
      origin: repository.startsWith("mirror/") ? `registry.example/${repository.slice(7)}:stable` : undefined, pulled: at(old / 2), pulls: between(0, 4000), status,
      reasons: held ? [{ source: "gate", rule: "gaps.end-of-life", message: "Debian 10 gets no advisories any more since 2024-06-30: not evaluated", decision: "not-evaluated" }]
        : rejected ? [{ source: "gate", rule: "kev", message: `${findings.find((f) => f.kev).id} is known to be exploited`, decision: "fail" }, { source: "gate", rule: "max.critical", message: `${counts.critical} critical findings; at most 0 are allowed`, decision: "fail" }]
        : counts.high > 0 ? [{ source: "gate", rule: "warn.high", message: `${counts.high} high findings`, decision: "warn" }] : [],
      override: r === 2 && i === 0 ? { status: "released", by: "mira", reason: "Needed for the release on Friday; the fix is in review", at: at(0.4), expires: at(-5) } : undefined,
    };
    if (!waiting) {
      m.scan = {
        scanned: at(old - 0.01), matched: at(0.3), analyser: "seawall 1", database, decision, counts, secrets: i % 4 === 1 ? 2 : 0, checks: 3, packages: 187, fixable: findings.filter((f) => f.fixed && !f.suppressed).length, gaps: held ? 1 : 0,
        distro: held ? "Debian GNU/Linux 10 (buster)" : "Debian GNU/Linux 12 (bookworm)", endOfLife: held ? "2024-06-30" : "2028-06-30", baseName: "docker.io/library/debian:12-slim", baseDigest: digest(), signers: r % 3 === 0 ? ["release@example.org"] : undefined,
      };
      results.set(d, { findings, counts });
    }
    images.push(m);
  }
}
images.push({ ...images[0], digest: digest(), kind: "index", mediaType: "application/vnd.oci.image.index.v1+json", children: [images[0].digest, images[2].digest], scan: undefined, reasons: [], status: "received", platform: undefined, tags: ["multi"], override: undefined });
images.sort((a, b) => (a.pushed < b.pushed ? 1 : -1));

export const repositories = names.map((name) => {
  const own = images.filter((m) => m.repository === name && m.kind === "image");
  const byStatus = {};
  for (const m of own) byStatus[m.status] = (byStatus[m.status] ?? 0) + 1;
  const counts = own.reduce((c, m) => (m.scan && severities.forEach((s) => (c[s] += m.scan.counts[s])), c), zero());
  return { name, created: at(200), images: own.length, tags: own.flatMap((m) => m.tags).length, size: own.reduce((n, m) => n + m.size, 0), pushed: own.map((m) => m.pushed).sort().at(-1), pulled: own.map((m) => m.pulled).sort().at(-1), counts, byStatus };
}).sort((a, b) => (a.name < b.name ? -1 : 1));

export const tracked = images.filter((m) => m.scan && m.kind === "image").flatMap((m) =>
  results.get(m.digest).findings.slice(0, 12).map((f) => ({
    key: f.tracked.key, repository: m.repository, type: "vulnerability", id: f.id, aliases: f.aliases, title: f.title, package: f.package.name, version: f.package.version, fixedIn: f.fixed, severity: f.severity, exploited: !!f.kev, epss: f.epss.score,
    state: f.tracked.state, firstSeen: f.tracked.firstSeen, lastSeen: at(0.3), due: f.tracked.due, owner: f.tracked.owner, digests: [m.digest], source: "seawall",
  })),
).sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
tracked.push({ ...tracked[0], key: hex(32), id: "aws-access-key", type: "secret", title: "AWS access key", package: undefined, version: undefined, fixedIn: undefined, exploited: false });

const total = (key) => images.reduce((n, m) => n + (m.scan?.counts[key] ?? 0), 0);
export const overview = () => {
  const byStatus = {};
  for (const m of images.filter((m) => m.kind === "image")) byStatus[m.status] = (byStatus[m.status] ?? 0) + 1;
  const counts = Object.fromEntries(severities.map((s) => [s, total(s)]));
  const exploited = tracked.filter((t) => t.exploited && t.state === "open").length;
  const overdue = tracked.filter((t) => t.state === "open" && t.due < new Date().toISOString()).length;
  return {
    attention: [
      { kind: "kev", title: "Findings that are known to be exploited", count: exploited, severity: "critical", link: "/findings?exploited=true&state=open" },
      { kind: "rejected", title: "Images rejected by the policy", count: byStatus.rejected, severity: "critical", link: "/images?status=rejected" },
      { kind: "overdue", title: "Findings past their due date", count: overdue, severity: "high", link: "/findings?overdue=true&state=open" },
      { kind: "quarantined", title: "Images that could not be evaluated", count: byStatus.quarantined ?? 0, severity: "medium", link: "/images?status=quarantined" },
      { kind: "exception-requested", title: "Exceptions that wait for a decision", count: 2, severity: "medium", link: "/exceptions?state=requested" },
      { kind: "job-failed", title: "Jobs that failed for good", count: 1, severity: "low", link: "/jobs?state=failed" },
    ],
    repositories: names.length, images: images.length - 1, byStatus, counts, exploited, overdue, size: images.reduce((n, m) => n + m.size, 0), trend: trend(counts), database,
  };
};

export function trend(counts = { critical: 12, high: 40, medium: 90, low: 60, negligible: 0, unknown: 0 }) {
  return Array.from({ length: 60 }, (_, i) => {
    const share = (k) => Math.round(counts[k] * (1.35 - i / 170 + Math.sin(i / 6 + k.length) * 0.08));
    return { day: at(59 - i).slice(0, 10), counts: Object.fromEntries(severities.map((s) => [s, i === 59 ? counts[s] : share(s)])), new: between(0, 9), fixed: between(0, 12), images: 90 + i };
  });
}

export const layers = (d) => {
  const { findings = [] } = results.get(d) ?? {};
  return ["ADD rootfs.tar.xz /", "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libxml2 && rm -rf /var/lib/apt/lists/*", "COPY package.json package-lock.json /app/", "RUN npm ci --omit=dev", "COPY src /app/src"].map((createdBy, index) => ({
    index, diffId: `sha256:${String(index).repeat(64)}`, createdBy, base: index === 0, digest: digest(), size: between(1, 80) * 1024 * 1024, packages: [120, 14, 0, 53, 0][index], secrets: index === 4 ? 2 : 0,
    counts: count(findings.filter((f) => f.layer.index === index)),
  }));
};

export const manyPackages = Array.from({ length: 187 }, (_, i) => (i < packages.length ? packages[i] : { ...packages[i % packages.length], name: `lib${pick(["gnutls", "krb5", "pcre", "sqlite", "tinfo", "uuid"])}-${i}`, sourceName: undefined }));
export const executables = Array.from({ length: 240 }, (_, i) => ({ path: `usr/bin/${pick(["grep", "mount", "perl", "openssl", "node", "tar"])}-${i}`, sha256: hex(64), size: between(10, 4000) * 1024, mode: i % 40 === 3 ? 0o4755 : 0o755, script: i % 9 === 0, interpreter: i % 9 === 0 ? "/bin/sh" : undefined, owner: i % 7 === 0 ? undefined : "coreutils" }));
export const secrets = [
  { rule: "aws-access-key", title: "AWS access key", severity: "critical", path: "app/.env", line: 12, masked: "AKIA…7Q2M", layer: { index: 4, diffId: "sha256:4" } },
  { rule: "private-key", title: "Private key", severity: "high", path: "root/.ssh/id_ed25519", line: 1, masked: "-----BEGIN OPENSSH…", deleted: true, layer: { index: 2, diffId: "sha256:2" } },
];
export const checks = [
  { id: "SW-IMG-001", title: "Runs as root", severity: "medium", detail: "The configuration names no user: the process starts as root.", fix: "Add USER with a user that owns nothing but what it needs." },
  { id: "SW-IMG-005", title: "Files that change the user", severity: "low", detail: "2 files have the setuid or setgid bit.", fix: "Remove the bits: chmod a-s.", paths: ["usr/bin/su", "usr/bin/mount"] },
  { id: "SW-IMG-009", title: "No health check", severity: "negligible", detail: "Nothing tells whether the program inside still works.", fix: "Add HEALTHCHECK, or a probe where it runs." },
];
export const custody = (m) => ({
  repository: m.repository, digest: m.digest, steps: [
    { kind: "built", known: false, note: "no verified provenance attestation" },
    { kind: "pushed", known: true, at: m.pushed, by: m.pushedBy, from: m.pushedFrom, audit: { id: audit[3].id, seq: audit[3].seq, index: audit[3].index } },
    ...(m.scan ? [{ kind: "scanned", known: true, at: m.scan.scanned, by: "hub", detail: { database: database.builtAt, analyser: "seawall 1" } }] : []),
    ...(m.scan?.signers ? [{ kind: "signed", known: true, at: m.pushed, by: m.scan.signers[0], note: "Cosign key “release”, verified offline" }] : []),
    { kind: m.status === "rejected" ? "rejected" : "released", known: true, at: at(0.3), by: "hub", note: m.reasons[0]?.message },
    { kind: "admitted", known: false, note: "no source connected" },
    { kind: "running", known: false, note: "no source connected" },
  ],
});

const acts = [["image.push", "image", "shop/cart@" + digest()], ["signin", "user", "mira"], ["exception.request", "exception", "2"], ["image.release", "image", "platform/scheduler@" + digest()], ["rule.put", "rule", "production"], ["user.create", "user", "jon"], ["signin", "user", "root"], ["key.rotate", "keys", "blobs"]];
export const audit = Array.from({ length: 420 }, (_, i) => {
  const [action, kind, name] = acts[i % acts.length];
  const refused = i % 16 === 6;
  return { id: hex(32), time: at(i / 9 + 0.01), actor: { kind: i % 3 ? "user" : "service", id: i % 3 ? "user:mira" : "service:ci", name: i % 3 ? "mira" : "ci", via: `token-${hex(6)}`, address: "10.20.4.17" }, action, object: { kind, name }, outcome: refused ? "refused" : "done", reason: refused ? "the password is wrong" : undefined, detail: i % 8 === 0 ? { tag: "1.40.0", size: "48 MiB" } : undefined, request: hex(16), seq: 420 - i, index: i < 2 ? -1 : 417 - i + 2 };
});

export const exceptions = [
  { id: 3, repositories: "shop/*", as: "accepted", suppression: { source: "hub", id: advisories[3].id, package: "libssl3", reason: "Only reachable with client certificates, which we do not use", owner: "shop", expires: at(-40) }, state: "requested", requestedBy: "jon", requestedAt: at(0.5), covers: 4 },
  { id: 2, repositories: "data/ingest", as: "false-positive", suppression: { source: "hub", id: advisories[9].id, reason: "The module is vendored and never compiled", owner: "data", expires: at(-20) }, state: "requested", requestedBy: "mira", requestedAt: at(1.5), covers: 1 },
  { id: 1, repositories: "**", as: "accepted", suppression: { source: "hub", id: advisories[5].id, package: "perl-base", reason: "Perl is not run in any of our images", owner: "platform", expires: at(-90) }, state: "approved", requestedBy: "mira", requestedAt: at(30), decidedBy: "jon", decidedAt: at(29), comment: "Agreed; revisit in spring", covers: 14 },
];
export const rules = [
  { id: 1, order: 10, name: "production", pattern: "platform/**", mode: "enforce", gate: "max:\n  critical: 0\nkev: fail\n", verdictMaxAge: "1d", due: { critical: 3, high: 14, medium: 60, low: 120, exploited: 1 }, tags: { immutable: ["1.*", "v*"] } },
  { id: 2, order: 20, name: "mirrors", pattern: "mirror/library/**", mirror: { source: "registry.example/library", onPull: true, tags: ["stable"], every: "6h" }, retention: { keepNewest: 5, keepDays: 30 } },
  { id: 3, order: 90, name: "everything else", pattern: "**", mode: "observe", retention: { keepNewest: 20, keepPulled: 90, untagged: 7, graceDays: 7 }, quota: 50 * 1024 ** 3 },
];
export const users = [
  { id: "user:mira", name: "mira", email: "mira@example.org", hasTotp: true, disabled: false, created: at(200), lastSignIn: at(0.02), groups: ["platform"] },
  { id: "user:jon", name: "jon", email: "jon@example.org", provider: "https://login.example.org", hasTotp: false, disabled: false, created: at(100), lastSignIn: at(2), groups: ["shop", "reviewers"] },
  { id: "user:eve", name: "eve", hasTotp: false, disabled: false, mustChangePassword: true, created: at(1) },
  { id: "user:old", name: "old", hasTotp: false, disabled: true, created: at(700), lastSignIn: at(400) },
];
export const services = [{ id: "service:ci", name: "ci", title: "The build", disabled: false, created: at(90) }, { id: "service:deploy", name: "deploy", title: "The deployment", disabled: false, created: at(80) }];
export const actions = ["image.list", "image.pull", "image.held", "image.push", "image.delete", "image.sign", "image.release", "image.scan", "image.import", "exception.request", "exception.approve", "finding.edit", "rule.read", "rule.write", "user.read", "user.write", "key.read", "key.rotate", "job.read", "job.write", "audit.read", "notify.read", "notify.write", "system.read", "system.write", "report.import"];
export const roles = [
  { name: "reader", title: "Sees images and findings", actions: ["image.list"], builtin: true }, { name: "puller", title: "Pulls", actions: ["image.list", "image.pull"], builtin: true },
  { name: "pusher", title: "Pushes", actions: ["image.list", "image.pull", "image.push"], builtin: true }, { name: "reviewer", title: "Decides", actions: ["image.list", "image.held", "image.release", "exception.approve"], builtin: true },
  { name: "owner", title: "Everything", actions, builtin: true }, { name: "release-manager", title: "Releases by hand", actions: ["image.list", "image.release"], builtin: false },
];
export const grants = [
  { id: 1, subject: "user:mira", role: "owner", scope: { kind: "all" } }, { id: 2, subject: "group:reviewers", role: "reviewer", scope: { kind: "all" } },
  { id: 3, subject: "service:ci", role: "pusher", scope: { kind: "repository", name: "shop/**" } }, { id: 4, subject: "service:deploy", role: "puller", scope: { kind: "all" } },
];
export const issuers = [{ id: "production", url: "https://oidc.cluster.example.org", audience: "seawall", claims: { sub: "system:serviceaccount:deploy:*" }, subject: "{sub}", grants: [{ id: 0, subject: "", role: "puller", scope: { kind: "all" } }] }];
export const jobs = Array.from({ length: 130 }, (_, i) => ({
  id: 5000 - i, kind: pick(["scan", "scan", "rematch", "import", "collect"]), key: `${pick(names)}@${digest()}`, state: i === 0 ? "running" : i < 3 ? "waiting" : i === 5 ? "failed" : "done", priority: 10, attempts: i === 5 ? 5 : 1, maxAttempts: 5,
  runAt: at(i / 40), created: at(i / 40), started: i > 0 && i < 3 ? undefined : at(i / 40), finished: i < 3 ? undefined : at(i / 40), progress: i === 0 ? "layer 3 of 5" : undefined, error: i === 5 ? "reading layer sha256:90c1…: unexpected end of file" : undefined, by: { kind: "user", id: "user:mira", name: "mira" },
}));
export const targets = [{ id: 1, name: "Security team", form: "email", url: "smtp://seawall@mail.example.org:587", to: ["security@example.org"], hasSecret: true }, { id: 2, name: "Incident hook", form: "webhook", url: "https://hooks.example.org/seawall", hasSecret: true }];
export const notifyRules = [{ id: 1, name: "Newly affected", target: 1, kinds: ["newly-affected"], severity: "high", digest: 60 }, { id: 2, name: "Rejected in production", target: 2, kinds: ["image.rejected"], severity: "unknown", repositories: "platform/**" }];
export const deliveries = Array.from({ length: 20 }, (_, i) => ({ id: 20 - i, rule: 1, target: 1 + (i % 2), events: [{ id: hex(8), kind: "newly-affected", title: `Newly affected: ${i + 1} images by ${advisories[i].id}`, severity: "high" }], state: i === 2 ? "failed" : "sent", attempts: i === 2 ? 8 : 1, created: at(i), notBefore: at(i), sent: i === 2 ? undefined : at(i), error: i === 2 ? "the target answered 503 Service Unavailable" : undefined }));
export const keys = { encrypted: true, provider: "file:///etc/seawall/kek", healthy: true, checked: at(0.001), next: at(-0.003), items: ["blobs", "state", "evidence"].flatMap((purpose) => [{ id: hex(8), purpose, created: at(20), wrapped: at(2), current: true }, { id: hex(8), purpose, created: at(120), wrapped: at(2), current: false }]) };
export const system = { version: "1.0.0", started: at(3), address: "", storage: { kind: "directory", used: 48 * 1024 ** 3, free: 400 * 1024 ** 3 }, database: { kind: "sqlite", version: "3.50", schema: 1 }, encryption: true, sources: [{ kind: "cluster", connected: false, detail: "no source connected" }, { kind: "node", connected: false, detail: "no source connected" }], dropped: { events: 0, pulls: 0 } };
export const outdated = images.filter((m) => m.kind === "image").slice(6, 30).map((m, i) => ({ repository: m.repository, digest: m.digest, tags: m.tags, created: m.created, pushed: m.pushed, scanned: m.scan?.scanned, baseName: m.scan?.baseName, fixable: m.scan?.fixable ?? 0, counts: m.scan?.counts ?? zero(), reasons: [{ kind: "base-behind", message: "The base image has a newer version" }, ...(i % 3 ? [] : [{ kind: "fix-available", message: "Fixes are available" }])] }));
export const credentials = [{ name: "second-hub", host: "registry.example:5000", user: "mirror" }];
/** One white pixel, in the place of a QR code. */
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsQDvkgAAAABJRU5ErkJggg==";
export const tokens = [{ id: "tok-1", kind: "api", subject: "user:mira", title: "laptop", created: at(20), expires: at(-70), used: at(0.2) }];
export const sessions = [{ id: "ses-1", kind: "session", subject: "user:mira", created: at(0.1), expires: at(-0.4), used: at(0.001), address: "10.20.4.17", agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140" }];
export { zero, digest, hex };
