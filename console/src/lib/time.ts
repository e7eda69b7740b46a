// Times come from the hub in UTC (RFC 3339) and are shown in the reader's zone.

const day = 86_400_000;

/** known is false for an absent time and for Go's zero time. */
export function known(time: string | undefined | null): time is string {
  return !!time && !time.startsWith("0001-");
}

/** dateTime is "2026-11-21 14:05". "" where the time is not known. */
export function dateTime(time: string | undefined): string {
  if (!known(time)) return "";
  const t = new Date(time);
  if (Number.isNaN(t.getTime())) return "";
  return `${date(t)} ${two(t.getHours())}:${two(t.getMinutes())}`;
}

/** date is "2026-11-21". */
export function date(time: string | Date | undefined): string {
  if (typeof time === "string" && !known(time)) return "";
  const t = new Date(time ?? Number.NaN);
  return Number.isNaN(t.getTime()) ? "" : `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

/** ago is "3 h ago" or "in 5 days"; "" where the time is not known. */
export function ago(time: string | undefined, now = Date.now()): string {
  if (!known(time)) return "";
  const past = now - new Date(time).getTime();
  if (Number.isNaN(past)) return "";
  const span = length(Math.abs(past));
  if (span === "") return "just now";
  return past >= 0 ? `${span} ago` : `in ${span}`;
}

/** length is a span in its largest unit, "" below a minute. */
export function length(ms: number): string {
  if (ms < 60_000) return "";
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < day) return `${Math.floor(ms / 3_600_000)} h`;
  const days = Math.floor(ms / day);
  if (days < 60) return days === 1 ? "1 day" : `${days} days`;
  if (days < 730) return `${Math.floor(days / 30.44)} months`;
  return `${Math.floor(days / 365.25)} years`;
}

/** past reports whether a known time is over. */
export function past(time: string | undefined, now = Date.now()): boolean {
  return known(time) && new Date(time).getTime() < now;
}

/** dayStart makes the API's time of an <input type="date">; "" stays "". */
export function dayStart(value: string): string {
  return value ? new Date(`${value}T00:00:00`).toISOString() : "";
}

/** dayEnd is the first moment after that day. */
export function dayEnd(value: string): string {
  if (!value) return "";
  const t = new Date(`${value}T00:00:00`);
  t.setDate(t.getDate() + 1);
  return t.toISOString();
}

/** inDays is the date n days from now, for an <input type="date">. */
export function inDays(n: number, now = new Date()): string {
  const t = new Date(now);
  t.setDate(t.getDate() + n);
  return date(t);
}

function two(n: number) {
  return String(n).padStart(2, "0");
}
