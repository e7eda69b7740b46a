import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { imageCustody, imageReferrers, type CustodyStep, type Manifest } from "../../api/images";
import { bytes, short } from "../../lib/format";
import { imagePath } from "../../lib/names";
import { dateTime, known } from "../../lib/time";
import { titled } from "../../ui/controls";
import { useMay } from "../session";
import { Loaded } from "../../ui/Fault";
import { Bones, Panel } from "../../ui/Page";

/** Custody is who did what to an image, each step with its audit record, and what refers to it. */
export function Custody({ image: m }: { image: Manifest }) {
  const custody = useQuery(imageCustody(m.repository, m.digest));
  const referrers = useQuery(imageReferrers(m.repository, m.digest));
  return (
    <div className="grid">
      <Panel title="Chain of custody" className="w7">
        <Loaded query={custody} bones={<Bones lines={8} />}>
          {(c) => (
            <ol className="steps">
              {(c.steps ?? []).map((s, i) => (
                <Step key={i} step={s} />
              ))}
            </ol>
          )}
        </Loaded>
      </Panel>
      <Panel title="Signatures, attestations and reports" className="w5" bare>
        <Loaded query={referrers} bones={<div className="body"><Bones lines={3} /></div>}>
          {(list) =>
            list.items.length === 0 ? (
              <p className="body dim">Nothing refers to this image yet. The hub attaches the SBOM and the verdict after a scan.</p>
            ) : (
              <ul className="list">
                {list.items.map((r) => (
                  <li key={r.digest} style={{ padding: "9px 16px", fontSize: 13 }}>
                    <div className="wrap" title={r.artifactType || r.mediaType}>{kindOf(r.artifactType || r.mediaType)}</div>
                    <Link className="sw-link mono" to={imagePath(m.repository, r.digest)}>{short(r.digest)}</Link>{" "}
                    <span className="dim">{bytes(r.size)}</span>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Panel>
    </div>
  );
}

// What the hub and the usual tools attach, in words; anything else by its type.
const kinds: [RegExp, string][] = [
  [/cyclonedx/, "SBOM (CycloneDX)"],
  [/spdx/, "SBOM (SPDX)"],
  [/vnd\.seawall\.verdict/, "Verdict"],
  [/sigstore\.bundle/, "Signature or attestation (Sigstore bundle)"],
  [/cosign\.artifact\.sig|cosign\.simplesigning/, "Signature (Cosign)"],
  [/cncf\.notary\.signature/, "Signature (Notary Project)"],
];

function kindOf(type: string): string {
  return kinds.find(([pattern]) => pattern.test(type))?.[1] ?? type;
}

/** spoken is a name of the API as text: "databaseBuilt" is "Database built". */
function spoken(name: string): string {
  return titled(name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`));
}

function Step({ step: s }: { step: CustodyStep }) {
  const may = useMay();
  return (
    <li className={s.known ? "" : "unknown"}>
      <div className="rows" style={{ gap: "0 10px" }}>
        <strong>{titled(s.kind)}</strong>
        {known(s.at) && <time dateTime={s.at} className="dim number">{dateTime(s.at)}</time>}
        {!s.known && <span className="dim">{s.note || "not known"}</span>}
      </div>
      {s.known && (
        <div className="wrap">
          {[s.by && `by ${s.by}`, s.from && `from ${s.from}`].filter(Boolean).join(" ")}
          {s.note && <div>{s.note}</div>}
        </div>
      )}
      {s.detail &&
        Object.entries(s.detail).map(([name, value]) => (
          <div key={name} className="wrap">
            <span className="dim">{spoken(name)}</span> {/^sha256:[0-9a-f]{64}$/.test(value) ? <span className="mono" title={value}>{short(value)}</span> : value}
          </div>
        ))}
      {s.audit && may("audit.read") && (
        <Link className="sw-link" to={`/audit?record=${s.audit.id}&before=${s.audit.seq + 1}`}>
          Audit record {s.audit.index >= 0 ? s.audit.index : "(not in the log yet)"}
        </Link>
      )}
    </li>
  );
}
