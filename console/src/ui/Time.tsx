import { ago, dateTime, known } from "../lib/time";

/** Time is how long ago; the exact time is its title. */
export function Time({ at, never = "never" }: { at?: string; never?: string }) {
  if (!known(at)) return <span className="dim">{never}</span>;
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago(at)}
    </time>
  );
}
