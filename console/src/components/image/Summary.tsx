import { Link } from "react-router";
import type { Manifest, Reason } from "../../api/images";
import { bytes, count, plural, short } from "../../lib/format";
import { imagePath } from "../../lib/names";
import { dateTime, known, past } from "../../lib/time";
import { Facts, Panel } from "../../ui/Page";
import { Time } from "../../ui/Time";
import { titled } from "../../ui/controls";
import { CountsMark, DecisionMark, Mark } from "../marks";

/** Summary is what stands above the tabs: the verdict with its reasons, and what the image is. */
export function Summary({ image: m }: { image: Manifest }) {
  return (
    <div className="grid">
      <Panel title="Verdict" className="w6" actions={m.scan && <DecisionMark decision={m.scan.decision} />}>
        <VerdictPanel image={m} />
      </Panel>
      <Panel title="Image" className="w6">
        <Facts items={facts(m)} />
      </Panel>
    </div>
  );
}

function VerdictPanel({ image: m }: { image: Manifest }) {
  const s = m.scan;
  return (
    <div className="stack tight" style={{ minHeight: 120 }}>
      {!s && <p>{noScan(m)}</p>}
      <Reasons reasons={m.reasons ?? []} passed={s?.decision === "pass"} />
      {s && (
        <Facts
          items={[
            ["Findings", <CountsMark key="c" counts={s.counts} />],
            ["Fixable", s.fixable > 0 ? `${count(s.fixable)} have a fix` : ""],
            ["Secrets", s.secrets > 0 ? <span className="bad">{s.secrets}</span> : ""],
            ["Gaps", s.gaps > 0 ? <span className="warn">{s.gaps} not evaluated</span> : ""],
            ["Decided", <Time key="t" at={s.matched} />],
          ]}
        />
      )}
    </div>
  );
}

function noScan(m: Manifest): string {
  if (m.kind === "index") return "An index has one verdict for each of its images: see them at the right.";
  if (m.kind === "artifact") return "This is no image: it is kept and served, and not scanned.";
  return m.status === "received" ? "It waits for its scan. This page shows the result as it arrives." : "It was not evaluated yet: scan it now.";
}

function Reasons({ reasons, passed }: { reasons: Reason[]; passed: boolean }) {
  if (reasons.length === 0) return passed ? <p className="good">Nothing in the policy speaks against it.</p> : null;
  return (
    <ul className="list">
      {reasons.map((r, i) => (
        <li key={i} style={{ padding: "6px 0", fontSize: 14, lineHeight: "20px" }}>
          <span className="wrap">{r.message}</span>{" "}
          <span className="dim" style={{ fontSize: 12 }}>
            {titled(r.source)}
            {r.rule && <span className="mono"> {r.rule}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function facts(m: Manifest): [string, React.ReactNode][] {
  const s = m.scan;
  return [
    ["Tags", m.tags?.length ? <span className="rows">{m.tags.map((t) => <Mark key={t}>{t}</Mark>)}</span> : "none"],
    ["Kind", m.kind === "image" ? "" : titled(m.kind) + (m.artifactType ? ` (${m.artifactType})` : "")],
    ["Images", m.children?.length ? <Children image={m} /> : ""],
    ["Refers to", m.subject ? <Link className="sw-link mono" to={imagePath(m.repository, m.subject)}>{short(m.subject)}</Link> : ""],
    ["Platform", m.platform],
    ["System", s?.distro ? <span>{s.distro}{s.endOfLife && (past(s.endOfLife) ? <span className="warn"> · out of support since {s.endOfLife}</span> : <span className="dim"> · supported until {s.endOfLife}</span>)}</span> : ""],
    ["Base image", s?.baseName ? <span>{s.baseName} <span className="mono dim">{short(s.baseDigest)}</span></span> : ""],
    ["Size", bytes(m.size)],
    ["Created", known(m.created) ? <Time at={m.created} /> : ""],
    ["Pushed", <span key="p"><Time at={m.pushed} /> by {m.pushedBy || "unknown"}{m.pushedFrom ? ` from ${m.pushedFrom}` : ""}</span>],
    ["Copied from", m.origin],
    ["Pulled", <span key="l"><Time at={m.pulled} />{m.pulls > 0 && <span className="dim"> · {plural(m.pulls, "time")}</span>}</span>],
    ["Signed by", s?.signers?.length ? s.signers.join(", ") : ""],
    ["Attested", s?.attestations?.length ? s.attestations.join(", ") : ""],
    ["Scanned", s && known(s.scanned) ? <span><Time at={s.scanned} /> <span className="dim">with the database of {dateTime(s.database.builtAt) || "no date"}</span></span> : ""],
    ["Runs in", <span key="r" className="dim">no source connected</span>],
  ];
}

function Children({ image: m }: { image: Manifest }) {
  return (
    <>
      {(m.children ?? []).map((d) => (
        <div key={d}>
          <Link className="sw-link mono" to={imagePath(m.repository, d)}>
            {short(d)}
          </Link>
        </div>
      ))}
    </>
  );
}
