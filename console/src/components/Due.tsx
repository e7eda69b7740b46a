import { known, past } from "../lib/time";
import { Time } from "../ui/Time";

/** Due is a due date, marked when it is over. */
export function Due({ at }: { at?: string }) {
  if (!known(at)) return <span className="dim">none</span>;
  return past(at) ? (
    <span className="bad">
      Overdue <Time at={at} />
    </span>
  ) : (
    <Time at={at} />
  );
}
