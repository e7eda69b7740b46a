import { Tooltip } from "@fluentui/react-components";
import { CheckmarkCircleRegular } from "@fluentui/react-icons/svg/checkmark-circle";
import { ClockRegular } from "@fluentui/react-icons/svg/clock";
import { DismissCircleRegular } from "@fluentui/react-icons/svg/dismiss-circle";
import { PauseCircleRegular } from "@fluentui/react-icons/svg/pause-circle";
import { QuestionCircleRegular } from "@fluentui/react-icons/svg/question-circle";
import { SubtractCircleRegular } from "@fluentui/react-icons/svg/subtract-circle";
import { WarningRegular } from "@fluentui/react-icons/svg/warning";
import type { ReactElement } from "react";
import type { Counts, Decision, Severity } from "../api/finding";
import type { Manifest, Status } from "../api/images";
import { count } from "../lib/format";
import { known, past } from "../lib/time";
import { titled } from "../ui/controls";

/** SeverityMark is a severity in words, with its colour beside it. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return <span className={`sev sev-${severity}`}>{titled(severity)}</span>;
}

/** CountsMark is the four severities that matter, side by side, so that columns of them can be compared. */
export function CountsMark({ counts }: { counts: Counts | undefined }) {
  const c = counts ?? ({} as Counts);
  const shown: Severity[] = ["critical", "high", "medium", "low"];
  return (
    <span className="counts" role="img" aria-label={shown.map((s) => `${c[s] ?? 0} ${s}`).join(", ")}>
      {shown.map((s) => (
        <span key={s} className={c[s] ? `sev-${s}` : "zero"} style={{ fontWeight: "inherit" }}>
          <i>{s.charAt(0).toUpperCase()}</i>
          {brief(c[s] ?? 0)}
        </span>
      ))}
    </span>
  );
}

function brief(n: number): string {
  return n < 1000 ? String(n) : n < 100_000 ? `${Math.floor(n / 100) / 10}k` : `${Math.floor(n / 1000)}k`;
}

/** SeverityBar shows the shares of the severities; the figures stand beside it. */
export function SeverityBar({ counts }: { counts: Counts }) {
  const shown: Severity[] = ["critical", "high", "medium", "low", "negligible", "unknown"];
  return (
    <div className="stackbar" role="img" aria-label={shown.map((s) => `${count(counts[s])} ${s}`).join(", ")}>
      {shown.filter((s) => counts[s] > 0).map((s) => (
        <span key={s} className={`sev-${s}`} style={{ flexGrow: counts[s] }} />
      ))}
    </div>
  );
}

const statusMarks: Record<Status, [string, ReactElement, string, string]> = {
  released: ["good", <CheckmarkCircleRegular />, "Released", "Served to whoever may pull"],
  rejected: ["bad", <DismissCircleRegular />, "Rejected", "Against the policy; not served where it is enforced"],
  quarantined: ["warn", <PauseCircleRegular />, "Quarantined", "Not evaluated, or waiting for a person; held where the policy is enforced"],
  received: ["info", <ClockRegular />, "Received", "Waits for its scan"],
  "not-scanned": ["", <SubtractCircleRegular />, "Not scanned", "No image: a chart, an SBOM, a signature"],
};

/** StatusMark is the status that counts, in words. */
export function StatusMark({ status, byHand }: { status: Status; byHand?: boolean }) {
  const [tone, icon, text, why] = statusMarks[status] ?? ["", <QuestionCircleRegular />, titled(status), ""];
  return (
    <Tooltip content={why} relationship="description">
      <span className={`tag above ${tone}`}>
        {icon}
        {text}
        {byHand ? " by hand" : ""}
      </span>
    </Tooltip>
  );
}

/** statusOf is the status that counts now: a person's, while it holds. */
export function statusOf(m: Manifest): { status: Status; byHand: boolean } {
  const o = m.override;
  if (o && (!known(o.expires) || !past(o.expires))) return { status: o.status, byHand: true };
  return { status: m.status, byHand: false };
}

const decisionMarks: Record<Decision, [string, ReactElement, string]> = {
  pass: ["good", <CheckmarkCircleRegular />, "Pass"],
  warn: ["warn", <WarningRegular />, "Warn"],
  fail: ["bad", <DismissCircleRegular />, "Fail"],
  "not-evaluated": ["warn", <QuestionCircleRegular />, "Not evaluated"],
};

/** DecisionMark is the gate's answer in words. */
export function DecisionMark({ decision }: { decision: Decision }) {
  const [tone, icon, text] = decisionMarks[decision] ?? ["", <QuestionCircleRegular />, decision];
  return (
    <span className={`tag ${tone}`}>
      {icon}
      {text}
    </span>
  );
}

/** Mark is a word in a box: good, bad, warn, info or plain. */
export function Mark({ tone = "", children }: { tone?: "good" | "bad" | "warn" | "info" | ""; children: React.ReactNode }) {
  return <span className={`tag ${tone}`}>{children}</span>;
}

/** Exploited says that attackers use it. */
export function Exploited() {
  return (
    <Tooltip content="In CISA's catalogue of known exploited vulnerabilities" relationship="description">
      <span className="tag bad above">Exploited</span>
    </Tooltip>
  );
}
