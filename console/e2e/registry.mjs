// A small registry client, to push made-up images into a hub from outside as Docker would: the token flow, blobs in one
// piece, manifests. Images are made of a few files: the package database of a distribution, jars, node_modules.
import { createHash } from "node:crypto";
import { crc32, gzipSync } from "node:zlib";

const oci = "application/vnd.oci.image";
const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const json = (value) => Buffer.from(JSON.stringify(value));

/** tar holds files by name; a name that ends in "/" is a folder; a content is text or bytes. */
export function tar(files) {
  const blocks = [];
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const head = Buffer.alloc(512);
    const folder = name.endsWith("/");
    head.write(name, 0);
    head.write(folder ? "0000755\0" : "0000644\0", 100);
    head.write("0000000\0".repeat(2), 108);
    head.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    head.write("14547374720\0", 136);
    head.write(`        ${folder ? 5 : 0}`, 148);
    head.write("ustar\x0000", 257);
    head.write(`${head.reduce((a, b) => a + b).toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(head, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** zip holds files uncompressed: a jar. */
export function zip(files) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const about = Buffer.alloc(26); // what the local header and the directory have in common
    about.writeUInt16LE(20, 0);
    about.writeUInt32LE(0x5a210000, 6); // a date in 2025
    about.writeUInt32LE(crc32(data), 10);
    about.writeUInt32LE(data.length, 14);
    about.writeUInt32LE(data.length, 18);
    about.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), about, place, Buffer.from(name));
    const local = [Buffer.from("PK\x03\x04", "latin1"), about, Buffer.from(name), data];
    parts.push(...local);
    at += local.reduce((n, b) => n + b.length, 0);
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

/** image is one of layers, each {files, by}. by is what made it; config adds to the configuration. */
export function image({ layers, arch = "amd64", config = {}, created = new Date() }) {
  const made = layers.map((l) => ({ by: l.by ?? "COPY . .", plain: tar(l.files) }));
  const packed = made.map((l) => gzipSync(l.plain));
  const body = json({
    architecture: arch, os: "linux", created: created.toISOString(), config,
    rootfs: { type: "layers", diff_ids: made.map((l) => sha256(l.plain)) }, history: made.map((l) => ({ created: created.toISOString(), created_by: l.by })),
  });
  const of = (mediaType, bytes) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = json({ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json`, config: of(`${oci}.config.v1+json`, body), layers: packed.map((b) => of(`${oci}.layer.v1.tar+gzip`, b)) });
  return { mediaType: `${oci}.manifest.v1+json`, manifest, digest: sha256(manifest), blobs: [body, ...packed], platform: { os: "linux", architecture: arch } };
}

/** index is one image for several platforms. */
export function index(images) {
  const manifest = json({
    schemaVersion: 2, mediaType: `${oci}.index.v1+json`,
    manifests: images.map((m) => ({ mediaType: m.mediaType, digest: m.digest, size: m.manifest.length, platform: m.platform })),
  });
  return { mediaType: `${oci}.index.v1+json`, manifest, digest: sha256(manifest), blobs: [], children: images };
}

/** push puts an image into url's registry as who, {name, password}, and returns its digest. */
export async function push(url, who, repository, tag, m) {
  const token = await tokenFor(url, who, repository);
  const headers = { Authorization: `Bearer ${token}` };
  const put = async (name, m) => {
    for (const child of m.children ?? []) await put(child.digest, child);
    for (const blob of m.blobs) await putBlob(`${url}/v2/${repository}`, headers, blob);
    await must(fetch(`${url}/v2/${repository}/manifests/${name}`, { method: "PUT", headers: { ...headers, "Content-Type": m.mediaType }, body: m.manifest }));
  };
  await put(tag, m);
  return m.digest;
}

// tokenFor follows the challenge of /v2/, as the distribution specification's token flow has it.
async function tokenFor(url, who, repository) {
  const challenge = (await fetch(`${url}/v2/`)).headers.get("WWW-Authenticate") ?? "";
  const [, realm] = /realm="([^"]+)"/.exec(challenge) ?? [];
  const [, service] = /service="([^"]+)"/.exec(challenge) ?? [];
  const at = new URL(realm);
  at.search = new URLSearchParams({ service, scope: `repository:${repository}:pull,push` });
  const answer = await must(fetch(at, { headers: { Authorization: `Basic ${btoa(`${who.name}:${who.password}`)}` } }));
  return (await answer.json()).token;
}

async function putBlob(at, headers, blob) {
  const begun = await must(fetch(`${at}/blobs/uploads/`, { method: "POST", headers }));
  const to = new URL(begun.headers.get("Location"), at);
  to.searchParams.set("digest", sha256(blob));
  await must(fetch(to, { method: "PUT", headers: { ...headers, "Content-Type": "application/octet-stream" }, body: blob }));
}

async function must(asked) {
  const response = await asked;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}
