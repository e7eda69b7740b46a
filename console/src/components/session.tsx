import { useQuery } from "@tanstack/react-query";
import { session, type Session } from "../api/session";
import { may } from "../lib/may";

/** useSession is who is signed in; the frame shows nothing before that is known. */
export function useSession(): Session | undefined {
  return useQuery(session()).data;
}

/** useMay answers whether the signed-in person may do something. */
export function useMay(): (action: string, repository?: string) => boolean {
  const permissions = useSession()?.permissions;
  return (action, repository) => may(permissions, action, repository);
}
