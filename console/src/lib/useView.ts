import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/**
 * useView keeps the view's state in the URL: every key of initial is a query parameter, absent while it has its
 * initial value. set changes some of them; it replaces the history entry, as a filter is no page of its own.
 */
export function useView<T extends Record<string, string>>(initial: T): [T, (change: Partial<T>) => void] {
  const [params, setParams] = useSearchParams();
  const view = useMemo(() => {
    const v: Record<string, string> = { ...initial };
    for (const key of Object.keys(initial)) v[key] = params.get(key) ?? initial[key]!;
    return v as T;
  }, [params]);
  const set = useCallback(
    (change: Partial<T>) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          for (const [key, value] of Object.entries(change)) {
            if (!value || value === initial[key]) next.delete(key);
            else next.set(key, value as string);
          }
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [view, set];
}
