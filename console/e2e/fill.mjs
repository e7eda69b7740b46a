// Fills a hub that is just set up with made-up images, people and rules, so that there is something to look at:
//   node e2e/fill.mjs --url http://127.0.0.1:8443 --password PASSWORD
// The password is the one that `seawall up` printed; it is changed to "made-up password" where the hub asks for that.
// Everything goes through the API and the registry, as from outside. The findings are those of the advisories that are
// built into the program. --from names a second hub to import from (with images filled in, same password).
import { generateKeyPairSync } from "node:crypto";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { image, index, push, zip } from "./registry.mjs";

export const password = "made-up password";

/** Client speaks to /api/v1 as somebody. */
export class Client {
  constructor(url) {
    this.url = url;
  }
  async signIn(name, word, next = password) {
    this.who = { name, password: word };
    let session = await this.call("POST", "/session", { name, password: word });
    this.csrf = session.csrf;
    if (session.must === "password") {
      await this.call("POST", "/session/password", { current: word, new: next });
      return this.signIn(name, next);
    }
    return this;
  }
  async call(method, path, body, headers = {}) {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method, body: body && JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf ?? "", Cookie: this.cookie ?? "", ...headers },
    });
    const set = response.headers.getSetCookie()[0];
    if (set) this.cookie = set.split(";")[0];
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }
  push(repository, tag, m) {
    return push(this.url, this.who, repository, tag, m);
  }
}

const alpine = (version, packages) => ({
  by: "ADD alpine-minirootfs.tar.gz / # buildkit",
  files: {
    "etc/os-release": `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.replace(/\.\d+$/, "")}"\n`,
    "etc/alpine-release": `${version}\n`,
    "lib/apk/db/installed": packages.map(([name, v]) => `P:${name}\nV:${v}\nA:x86_64\nS:1000\nI:4000\nT:${name}\nL:MIT\no:${name}\n\n`).join(""),
  },
});
const debian = (version, code, packages) => ({
  by: "# debian.sh --arch 'amd64' out/ '" + code + "'",
  files: {
    "etc/os-release": `PRETTY_NAME="Debian GNU/Linux ${version} (${code})"\nNAME="Debian GNU/Linux"\nVERSION_ID="${version}"\nID=debian\nVERSION_CODENAME=${code}\n`,
    "etc/debian_version": `${version}.1\n`,
    "var/lib/dpkg/status": packages.map(([name, v, source]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${source ? `Source: ${source}\n` : ""}Version: ${v}\nMaintainer: Nobody <nobody@example.org>\nDescription: made up\n\n`).join(""),
  },
});
const jar = (group, artifact, version) => [
  `app/lib/${artifact}-${version}.jar`,
  zip({ "META-INF/MANIFEST.MF": `Manifest-Version: 1.0\nImplementation-Title: ${artifact}\nImplementation-Version: ${version}\n`, [`META-INF/maven/${group}/${artifact}/pom.properties`]: `groupId=${group}\nartifactId=${artifact}\nversion=${version}\n` }),
];
const npm = (name, version) => [`app/node_modules/${name}/package.json`, JSON.stringify({ name, version, license: "MIT" })];
const pip = (name, version) => [`usr/lib/python3/dist-packages/${name}-${version}.dist-info/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nLicense: MIT\n\n`];
const copy = (...files) => ({ by: "COPY --chown=app . /app # buildkit", files: Object.fromEntries(files) });
const asUser = { config: { User: "10001", Entrypoint: ["/app/run"] } };

const bookworm = debian("12", "bookworm", [["base-files", "12.4+deb12u12"], ["libc6", "2.36-9+deb12u13", "glibc"], ["openssl", "3.0.17-1~deb12u3"], ["zlib1g", "1:1.2.13.dfsg-1", "zlib"], ["coreutils", "9.1-1"]]);
const oldBookworm = debian("12", "bookworm", [["base-files", "12.4"], ["libc6", "2.36-9", "glibc"], ["curl", "7.88.1-10"], ["openssh-client", "1:9.2p1-2", "openssh"], ["libwebp7", "1.2.4-0.1", "libwebp"], ["libnghttp2-14", "1.52.0-1", "nghttp2"]]);
const bullseye = debian("11", "bullseye", [["base-files", "11.1"], ["libc6", "2.31-13", "glibc"], ["openssl", "1.1.1k-1"], ["zlib1g", "1:1.2.11.dfsg-2", "zlib"], ["policykit-1", "0.105-31"]]);
const trixie = debian("13", "trixie", [["base-files", "13.1"], ["xz-utils", "5.6.0-0.2"], ["liblzma5", "5.6.0-0.2", "xz-utils"], ["sudo", "1.9.16p2-1"]]);
const alpine317 = alpine("3.17.0", [["musl", "1.2.3-r4"], ["busybox", "1.35.0-r29"], ["openssl", "3.0.5-r0"], ["curl", "7.86.0-r1"]]);
const alpine322 = alpine("3.22.1", [["musl", "1.2.5-r10"], ["busybox", "1.37.0-r18"], ["apk-tools", "2.14.9-r2"], ["zlib", "1.3.1-r2"]]);

function privateKey() {
  return generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding: { type: "pkcs1", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" } }).privateKey;
}

/** images are what is pushed: [repository, tags, image]. */
export function images() {
  const days = (n) => new Date(Date.now() - n * 86_400_000);
  const worker = (arch) => image({ layers: [alpine322, copy(["app/worker", `made up for ${arch}`], npm("minimist", "1.2.8"))], arch, created: days(3), ...asUser });
  return [
    ["shop/checkout", ["2.14.0", "latest"], image({ layers: [bullseye, copy(jar("org.apache.logging.log4j", "log4j-core", "2.14.1"), jar("com.fasterxml.jackson.core", "jackson-databind", "2.12.3"), jar("org.yaml", "snakeyaml", "1.26"), jar("org.springframework", "spring-beans", "5.3.9"))], created: days(240), ...asUser })],
    ["shop/checkout", ["2.15.0"], image({ layers: [bookworm, copy(jar("org.apache.logging.log4j", "log4j-core", "2.25.2"), jar("com.fasterxml.jackson.core", "jackson-databind", "2.20.1"))], created: days(2), ...asUser })],
    ["shop/storefront", ["7.3.1", "7"], image({ layers: [alpine317, copy(npm("lodash", "4.17.11"), npm("minimist", "1.2.5"), npm("axios", "1.5.0"), npm("next", "13.4.0"), npm("qs", "6.3.1"))], created: days(90), ...asUser })],
    ["shop/search", ["1.8.2"], image({ layers: [oldBookworm, copy(pip("Django", "3.2.1"), pip("requests", "2.25.0"), pip("urllib3", "1.26.5"), pip("Pillow", "9.0.0"))], created: days(400), ...asUser })],
    ["platform/gateway", ["3.0.4", "3.0"], image({ layers: [alpine322, copy(["app/gateway", "made up"], npm("axios", "1.12.2"))], created: days(1), ...asUser })],
    ["platform/builder", ["24.11"], image({ layers: [trixie, copy(["app/build.sh", "#!/bin/sh\nexec make\n"])], created: days(30) })],
    ["platform/worker", ["1.2.0"], index([worker("amd64"), worker("arm64")])],
    ["billing/invoices", ["0.9.1"], image({ layers: [bookworm, copy(["app/deploy.key", privateKey()], ["app/run", "made up"], pip("PyYAML", "5.3"), pip("setuptools", "65.5.0"))], created: days(14), config: { Env: ["DB_PASSWORD=correct-horse-battery-staple"] } })],
    ["tools/legacy-import", ["1.0"], image({ layers: [debian("7", "wheezy", [["base-files", "7.1"], ["openssl", "1.0.1e-2"], ["bash", "4.2+dfsg-0.1"]])], created: days(3000) })],
  ];
}

const settled = async (hub, repository, digest) => {
  for (let i = 0; i < 240; i++) {
    const m = await hub.call("GET", `/repositories/${encodeURIComponent(repository)}/images/${digest}`);
    if (m.kind !== "image" || m.scan) return m;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error(`${repository}@${digest} was not scanned within a minute`);
};

/** fill fills a hub as its administrator. */
export async function fill(admin, from) {
  const person = async (name, roles, email) => {
    const made = await admin.call("POST", "/users", { name, email, roles });
    return new Client(admin.url).signIn(name, made.password);
  };
  const roles = (await admin.call("GET", "/roles")).items.map((r) => r.name);
  const role = (name) => (roles.includes(name) ? [name] : []);
  const noa = await person("noa", role("reviewer"), "noa@example.org");
  await person("ilse", role("reader"));
  await admin.call("POST", "/services", { name: "pipeline", title: "Builds and pushes", roles: role("pusher") });
  await admin.call("POST", "/rules", { order: 10, name: "production", pattern: "shop/**", mode: "enforce", owner: "shop team", due: { critical: 3, high: 14, medium: 60, low: 180, exploited: 1 }, tags: { immutable: ["*.*.*"] }, retention: { keepNewest: 10, keepDays: 30, untagged: 7 } });
  await admin.call("POST", "/rules", { order: 20, name: "platform", pattern: "platform/**", mode: "enforce", verdictMaxAge: "24h" });
  await admin.call("POST", "/rules", { order: 90, name: "everything else", pattern: "**", mode: "observe", quota: 20 * 2 ** 30 });
  for (const [repository, tags, m] of images()) {
    for (const tag of tags) await admin.push(repository, tag, m);
    await settled(admin, repository, m.digest);
  }
  await except(admin, noa);
  await release(noa);
  const target = await admin.call("POST", "/notify/targets", { name: "Security team", form: "webhook", url: "https://hooks.example.org/seawall", secret: "made up, too" });
  await admin.call("POST", "/notify/rules", { id: 0, name: "Exploited in the shop", target: target.id, kinds: [], severity: "critical", repositories: "shop/**" });
  if (!from) return;
  await admin.call("POST", "/credentials", { name: "second-hub", host: new URL(from).host, user: "admin", secret: password });
  await admin.call("POST", "/imports", { source: `${new URL(from).host}/platform/gateway:3.0.4`, destination: "mirror/gateway:3.0.4", credential: "second-hub" });
}

// Two images whose only fault is that the built-in advisories are few.
async function release(noa) {
  for (const [repository, tag] of [["platform/gateway", "3.0.4"], ["shop/checkout", "2.15.0"]]) {
    const { items } = await noa.call("GET", `/images?repository=${encodeURIComponent(repository)}&search=${tag}&kind=image`);
    for (const m of items.filter((m) => m.tags?.includes(tag))) {
      await noa.call("PUT", `/repositories/${encodeURIComponent(repository)}/images/${m.digest}/override`, { status: "released", reason: "Reviewed by hand until the full database is here" });
    }
  }
}

async function except(admin, noa) {
  const until = new Date(Date.now() + 60 * 86_400_000).toISOString();
  const ask = (who, id, pkg, repositories, reason) => who.call("POST", "/exceptions", { repositories, as: "accepted", id, package: pkg, reason, owner: "shop team", expires: until });
  const known = await ask(noa, "CVE-2021-3807", "ansi-regex", "shop/**", "Only used when the tests are run");
  await admin.call("POST", `/exceptions/${known.id}/decision`, { to: "approved", comment: "Agreed until the next release" });
  await ask(noa, "CVE-2023-45857", "axios", "shop/storefront", "The token is never sent to another host");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: args } = parseArgs({ options: { url: { type: "string" }, user: { type: "string", default: "admin" }, password: { type: "string" }, from: { type: "string" } } });
  const admin = await new Client(args.url).signIn(args.user, args.password);
  await fill(admin, args.from);
  console.log(`filled ${args.url}; sign in as ${args.user} with "${password}"`);
}
