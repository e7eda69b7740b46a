import { Button, DrawerBody, DrawerHeader, DrawerHeaderTitle, OverlayDrawer } from "@fluentui/react-components";
import { DismissRegular } from "@fluentui/react-icons/svg/dismiss";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import type { ImageFinding, Manifest } from "../../api/images";
import { percent } from "../../lib/format";
import { date, known } from "../../lib/time";
import { titled } from "../../ui/controls";
import { Facts } from "../../ui/Page";
import { useFocusBack } from "../../ui/useFocusBack";
import { Exploited, SeverityMark } from "../marks";
import { RequestException } from "../RequestException";
import { useMay } from "../session";
import { Due } from "../Due";

/** FindingPanel is everything about one finding of an image, beside the list. */
export function FindingPanel({ image: m, finding: f, onClose }: { image: Manifest; finding: ImageFinding; onClose: () => void }) {
  useFocusBack();
  const may = useMay();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  return (
    <OverlayDrawer open position="end" size="medium" onOpenChange={(_, d) => !d.open && onClose()} aria-label={f.id}>
      <DrawerHeader>
        <DrawerHeaderTitle action={<Button appearance="subtle" aria-label="Close" icon={<DismissRegular />} onClick={onClose} />}>{f.id}</DrawerHeaderTitle>
      </DrawerHeader>
      <DrawerBody>
        <div className="stack" style={{ paddingBottom: 24 }}>
          <p>{f.title || "The advisory has no title."}</p>
          <div className="rows">
            <Button onClick={() => void navigate(`/advisories/${encodeURIComponent(f.id)}`)}>Which images have it</Button>
            {f.tracked && <Button onClick={() => void navigate(`/findings/${f.tracked!.key}`)}>Over time</Button>}
            {may("exception.request", m.repository) && !f.suppressed && (
              <Button appearance="primary" onClick={() => setAsking(true)}>
                Make an exception…
              </Button>
            )}
          </div>
          <Facts items={facts(f)} />
        </div>
      </DrawerBody>
      {asking && <RequestException start={{ repositories: m.repository, id: f.id, package: f.package.name }} onClose={() => setAsking(false)} />}
    </OverlayDrawer>
  );
}

function facts(f: ImageFinding): [string, React.ReactNode][] {
  const p = f.package;
  return [
    ["Severity", <span key="s" className="rows"><SeverityMark severity={f.severity} />{f.score ? <span>CVSS {f.score}</span> : null}{f.severitySource && <span className="dim">{f.severitySource}</span>}{f.kev && <Exploited />}</span>],
    ["Fix", f.fixed ? <span className="good mono">{f.fixed}</span> : titled(f.state)],
    ["Package", <span key="p">{p.name} <span className="mono">{p.version}</span>{p.sourceName && p.sourceName !== p.name ? <span className="dim"> from {p.sourceName} {p.sourceVersion}</span> : null}</span>],
    ["Ecosystem", p.ecosystem || p.type],
    ["Found in", f.paths?.length ? <span className="mono">{f.paths.join(", ")}</span> : ""],
    ["Layer", f.layer ? <span>{f.layer.index}{f.layer.base ? " (base image)" : ""} <span className="mono dim">{f.layer.createdBy}</span></span> : ""],
    ["Exploited since", f.kev ? <span>{f.kev.added}{f.kev.due ? `, to be fixed by ${f.kev.due}` : ""}{f.kev.ransomware ? ", by ransomware" : ""}</span> : ""],
    ["EPSS", f.epss ? `${percent(f.epss.score)} in 30 days, above ${percent(f.epss.percentile)} of all` : ""],
    ["Aliases", f.aliases?.join(", ")],
    ["Records", f.advisories?.join(", ")],
    ["Weakness", f.cwe?.join(", ")],
    ["Vector", f.vector ? <span className="mono">{f.vector}</span> : ""],
    ["Published", known(f.published) ? date(f.published) : ""],
    ["State", f.tracked ? titled(f.tracked.state) : ""],
    ["First seen", f.tracked ? date(f.tracked.firstSeen) : ""],
    ["Due", f.tracked ? <Due at={f.tracked.due} /> : ""],
    ["Owner", f.tracked?.owner],
    ["Set aside", f.suppressed ? <span>{f.suppressed.reason || "no reason given"} <span className="dim">({f.suppressed.source}{f.suppressed.owner ? `, ${f.suppressed.owner}` : ""}{known(f.suppressed.expires) ? `, until ${date(f.suppressed.expires)}` : ""})</span></span> : ""],
    ["Exception", f.tracked?.exception ? <Link className="sw-link" to={`/exceptions/${f.tracked.exception}`}>{f.tracked.exception}</Link> : ""],
    ["Source", f.url ? <a className="sw-link" href={f.url} target="_blank" rel="noreferrer noopener">{f.url}</a> : ""],
  ];
}
