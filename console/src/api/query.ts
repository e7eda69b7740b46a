import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { get, getTagged, Problem, type Query } from "./fetch";

/** List is the body of every listing; total is -1 where it was not counted. */
export interface List<T> {
  items: T[];
  next?: string;
  total: number;
}

/** newClient is the query cache: server state lives here and nowhere else. */
export function newClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: 15_000, retry: retry, refetchOnWindowFocus: true },
    },
  });
}

// What the hub refused is refused again; what did not answer may answer the next time.
function retry(failures: number, fault: Error): boolean {
  return failures < 2 && (!(fault instanceof Problem) || fault.status === 0 || fault.status >= 502);
}

/** one reads a resource. The key's first part is its path, by which events find it. */
export function one<T>(resource: string, query: Query = {}) {
  return queryOptions({ queryKey: [resource, query], queryFn: ({ signal }) => get<T>(resource, { query, signal }) });
}

/** tagged reads a resource with its ETag. */
export function tagged<T>(resource: string) {
  return queryOptions({ queryKey: [resource, "tagged"], queryFn: ({ signal }) => getTagged<T>(resource, { signal }) });
}

/** pages reads a listing page by page; the cursor goes into the parameter called by. */
export function pages<T>(resource: string, query: Query = {}, by: "cursor" | "before" = "cursor", limit = 100) {
  return infiniteQueryOptions({
    queryKey: [resource, query, "pages"],
    queryFn: ({ signal, pageParam }) => get<List<T>>(resource, { query: { ...query, [by]: pageParam, limit }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });
}
