// Numbers, sizes and digests as the console writes them.

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** bytes is "12.3 MiB". */
export function bytes(n: number | undefined): string {
  if (n === undefined || !Number.isFinite(n) || n < 0) return "";
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** parseBytes reads "10 GiB", "500M" or "1024"; NaN for anything else. */
export function parseBytes(text: string): number {
  const m = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*$/i.exec(text);
  if (!m) return Number.NaN;
  return Math.round(Number(m[1]) * 1024 ** " kmgtp".indexOf((m[2] || " ").toLowerCase()));
}

const grouped = new Intl.NumberFormat("en-US");

/** count is "12,345". */
export function count(n: number | undefined): string {
  return n === undefined ? "" : grouped.format(n);
}

/** plural is "1 image", "12,345 images". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** percent of a fraction: "0.4 %", "97 %". */
export function percent(fraction: number | undefined): string {
  if (fraction === undefined) return "";
  const p = fraction * 100;
  return `${p < 10 ? p.toFixed(1) : Math.round(p)} %`;
}

/** short cuts a digest to its first 12 hexadecimal digits: "sha256:0123456789ab". */
export function short(digest: string | undefined): string {
  if (!digest) return "";
  const [algorithm, hex] = digest.split(":", 2);
  return hex ? `${algorithm}:${hex.slice(0, 12)}` : digest.slice(0, 12);
}

/** bare is short without the algorithm, for places where it is clear. */
export function bare(digest: string | undefined): string {
  return short(digest).replace(/^sha\d+:/, "");
}

/** mode is octal with the setuid bits: "4755". */
export function mode(bits: number): string {
  return bits.toString(8).padStart(4, "0");
}
