import { useSyncExternalStore } from "react";

/** useMedia reports whether a media query holds, now and when it changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    () => window.matchMedia(query).matches,
  );
}

/** useWidth is 1 below 720 px, 2 below 1100 px, else 3: which columns and panes have room. */
export function useWidth(): 1 | 2 | 3 {
  const two = useMedia("(min-width: 720px)");
  const three = useMedia("(min-width: 1100px)");
  return three ? 3 : two ? 2 : 1;
}
