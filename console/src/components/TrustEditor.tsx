import { Button, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { emptyAttestation, emptySigner, type AttestationText, type SignerText, type TrustText } from "../lib/trustForm";

/** TrustEditor edits what must be proved of an image before it is released. */
export function TrustEditor({ trust, onChange }: { trust: TrustText; onChange: (t: TrustText) => void }) {
  const signers = (list: SignerText[]) => onChange({ ...trust, signers: list });
  const attestations = (list: AttestationText[]) => onChange({ ...trust, attestations: list });
  return (
    <fieldset className="section form">
      <legend>Trust</legend>
      {trust.signers.length + trust.attestations.length === 0 && <p className="dim">Nothing is required by this rule. Each signature and attestation below must be there before an image is released.</p>}
      {trust.signers.map((s, i) => (
        <Item key={i} title={`Signature ${i + 1}`} onRemove={() => signers(trust.signers.toSpliced(i, 1))}>
          <SignerFields signer={s} onChange={(next) => signers(trust.signers.with(i, next))} />
        </Item>
      ))}
      {trust.attestations.map((a, i) => (
        <Item key={i} title={`Attestation ${i + 1}`} onRemove={() => attestations(trust.attestations.toSpliced(i, 1))}>
          <AttestationFields attestation={a} onChange={(next) => attestations(trust.attestations.with(i, next))} />
        </Item>
      ))}
      <div className="rows">
        <Button size="small" onClick={() => signers([...trust.signers, emptySigner])}>Require a signature</Button>
        <Button size="small" onClick={() => attestations([...trust.attestations, emptyAttestation])}>Require an attestation</Button>
      </div>
    </fieldset>
  );
}

function Item({ title, onRemove, children }: { title: string; onRemove: () => void; children: React.ReactNode }) {
  return (
    <fieldset className="section form">
      <legend>{title}</legend>
      {children}
      <div>
        <Button size="small" onClick={onRemove} aria-label={`Remove ${title.toLowerCase()}`}>Remove</Button>
      </div>
    </fieldset>
  );
}

const known: [string, string][] = [["provenance", "Provenance (SLSA)"], ["sbom", "SBOM"], ["vulnerability-scan", "Vulnerability scan"]];

function AttestationFields({ attestation: a, onChange }: { attestation: AttestationText; onChange: (a: AttestationText) => void }) {
  const other = !known.some(([value]) => value === a.predicate);
  return (
    <>
      <div className="pair">
        <Field label="What is attested">
          <Select value={other ? "other" : a.predicate} onChange={(_, d) => onChange({ ...a, predicate: d.value === "other" ? "" : d.value })}>
            {known.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
            <option value="other">Another type</option>
          </Select>
        </Field>
        {other && <Field label="Predicate type" hint="its URI" required><Input value={a.predicate} onChange={(_, d) => onChange({ ...a, predicate: d.value })} /></Field>}
        {a.predicate === "provenance" && <Field label="Builder" hint="its id, exact or a pattern; empty: any"><Input value={a.builder} onChange={(_, d) => onChange({ ...a, builder: d.value })} /></Field>}
        {a.predicate === "vulnerability-scan" && <Field label="At most this old" hint="24h, 7d; empty: any age"><Input value={a.maxAge} onChange={(_, d) => onChange({ ...a, maxAge: d.value })} /></Field>}
      </div>
      <SignerFields signer={a.signer} onChange={(signer) => onChange({ ...a, signer })} />
    </>
  );
}

function SignerFields({ signer: s, onChange }: { signer: SignerText; onChange: (s: SignerText) => void }) {
  const put = (change: Partial<SignerText>) => onChange({ ...s, ...change });
  return (
    <>
      <div className="pair">
        <Field label="Name of the signer" hint="as verdicts show it" required><Input value={s.name} onChange={(_, d) => put({ name: d.value })} /></Field>
        <Field label="Proves itself by">
          <Select value={s.kind} onChange={(_, d) => put({ kind: d.value as SignerText["kind"] })}>
            <option value="keys">A key pair (Cosign)</option>
            <option value="keyless">An identity (keyless)</option>
            <option value="notation">Certificates (Notary Project)</option>
          </Select>
        </Field>
      </div>
      {s.kind === "keys" && <Pem label="Public keys" hint="PEM; any of several does" value={s.keys} onChange={(keys) => put({ keys })} />}
      {s.kind === "keyless" && (
        <>
          <div className="pair">
            <Field label="Issuer" hint="https://token.actions.example.org" required><Input value={s.issuer} onChange={(_, d) => put({ issuer: d.value })} /></Field>
            <Field label="Identity" hint="exact, or /a regular expression/" required><Input value={s.identity} onChange={(_, d) => put({ identity: d.value })} /></Field>
          </div>
          <Pem label="Trusted root" hint="trusted_root.json of the authority" value={s.root} onChange={(root) => put({ root })} />
        </>
      )}
      {s.kind === "notation" && (
        <>
          <Pem label="Certificates" hint="PEM of the trust store" value={s.certificates} onChange={(certificates) => put({ certificates })} />
          <Field label="Identities" hint="One a line: x509.subject: C=DE, O=Example; or *" required>
            <Textarea rows={2} textarea={{ className: "mono", spellCheck: false }} value={s.identities} onChange={(_, d) => put({ identities: d.value })} />
          </Field>
        </>
      )}
    </>
  );
}

function Pem({ label, hint, value, onChange }: { label: string; hint: string; value: string; onChange: (v: string) => void }) {
  return (
    <Field label={label} hint={hint} required>
      <Textarea rows={4} textarea={{ className: "mono", spellCheck: false }} value={value} onChange={(_, d) => onChange(d.value)} />
    </Field>
  );
}
