import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useSay, useSayFault } from "./say";

/** useAct does something at the press of a button: says how it went and reads anew what begins with one of the paths. */
export function useAct<A = void>(act: (a: A) => Promise<unknown>, done: string, ...touched: string[]) {
  const refresh = useRefresh();
  const say = useSay();
  const fault = useSayFault();
  return useMutation({
    mutationFn: act,
    onSuccess: () => {
      if (done) say(done);
      return refresh(...touched);
    },
    onError: fault,
  });
}

/** useRefresh reads anew what was read from paths that begin so. */
export function useRefresh() {
  const client = useQueryClient();
  return (...touched: string[]) =>
    client.invalidateQueries({ predicate: (q) => touched.some((t) => typeof q.queryKey[0] === "string" && q.queryKey[0].startsWith(t)) });
}
