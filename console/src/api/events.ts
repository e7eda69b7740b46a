import type { QueryClient } from "@tanstack/react-query";
import { address } from "./fetch";

// Which resources an event's topic makes stale, by the beginnings of their paths.
const touches: Record<string, string[]> = {
  images: ["/images", "/repositories", "/overview", "/reports"],
  findings: ["/findings", "/overview", "/images", "/repositories", "/advisories"],
  exceptions: ["/exceptions", "/findings", "/overview", "/repositories"],
  rules: ["/rules"],
  jobs: ["/jobs"],
  audit: ["/audit"],
  users: ["/users", "/services", "/roles", "/grants", "/issuers", "/tokens", "/sessions", "/who-can"],
  notify: ["/notify"],
  database: ["/database", "/overview", "/advisories"],
  system: ["/system", "/settings", "/keys"],
};

/** topics are what the hub tells of. */
export const topics = Object.keys(touches);

/** stale reports whether an event of topic makes what was read from resource stale. */
export function stale(topic: string, resource: unknown): boolean {
  if (typeof resource !== "string") return false;
  if (topic === "resync") return true;
  return (touches[topic] ?? []).some((begin) => resource === begin || resource.startsWith(`${begin}/`));
}

/** pause gathers events: a push of many images is one refetch a second, not one for each. Milliseconds. */
const pause = 1000;

/** listen keeps the cache up to date by the hub's events; the returned function ends it. */
export function listen(client: QueryClient, onState: (live: boolean) => void): () => void {
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const told = [...waiting];
    waiting.clear();
    void client.invalidateQueries({ predicate: (q) => told.some((topic) => stale(topic, q.queryKey[0])) });
  };
  const tell = (topic: string) => {
    waiting.add(topic);
    timer ??= setTimeout(flush, pause);
  };
  const source = new EventSource(address("/events"));
  let opened = false;
  source.onopen = () => {
    if (opened) tell("resync"); // what happened while the line was down is not known
    opened = true;
    onState(true);
  };
  source.onerror = () => onState(false);
  for (const topic of [...topics, "resync"]) source.addEventListener(topic, () => tell(topic));
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
