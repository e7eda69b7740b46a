// Replaces each built file that compresses by its .gz: the executable embeds only that, and embed.go unpacks it for the
// few clients that cannot. index.html stays as it is, because a nonce is put into it at each request.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const packable = /\.(?:js|css|svg|json|txt)$/;
let total = 0;
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !packable.test(entry.name)) continue;
  const packed = gzipSync(readFileSync(file), { level: 9 });
  writeFileSync(`${file}.gz`, packed);
  rmSync(file);
  total += packed.length;
}
console.log(`packed: ${Math.round(total / 1024)} KiB`);
