import type { Attestation, Signer, TrustRule } from "../api/rules";

/** SignerText is a signer as its form holds it; only the fields of its kind count. */
export interface SignerText {
  name: string;
  kind: "keys" | "keyless" | "notation";
  /** PEM, one after another. */
  keys: string;
  issuer: string;
  identity: string;
  root: string;
  /** PEM, one after another. */
  certificates: string;
  /** One a line. */
  identities: string;
}

export interface AttestationText {
  predicate: string;
  builder: string;
  maxAge: string;
  signer: SignerText;
}

export interface TrustText {
  signers: SignerText[];
  attestations: AttestationText[];
}

/** emptySigner is what a new signer's fields hold. */
export const emptySigner: SignerText = { name: "", kind: "keys", keys: "", issuer: "", identity: "", root: "", certificates: "", identities: "*" };

export const emptyAttestation: AttestationText = { predicate: "provenance", builder: "", maxAge: "", signer: emptySigner };

/** trustText fills the form. */
export function trustText(t: TrustRule | undefined): TrustText {
  return {
    signers: (t?.signers ?? []).map(signerText),
    attestations: (t?.attestations ?? []).map((a) => ({
      predicate: a.predicate,
      builder: a.builder ?? "",
      maxAge: a.maxAge && a.maxAge !== "0s" ? a.maxAge : "",
      signer: signerText(a.signer),
    })),
  };
}

function signerText(s: Signer): SignerText {
  return {
    ...emptySigner,
    name: s.name,
    kind: s.keyless ? "keyless" : s.notation ? "notation" : "keys",
    keys: (s.keys ?? []).join("\n"),
    ...s.keyless,
    ...(s.notation && { certificates: s.notation.certificates.join("\n"), identities: s.notation.identities.join("\n") }),
  };
}

/** trustRule reads the form; it throws an Error that says what is missing. undefined where nothing is required. */
export function trustRule(t: TrustText): TrustRule | undefined {
  if (t.signers.length + t.attestations.length === 0) return undefined;
  return { signers: t.signers.map(signer), attestations: t.attestations.map(attestation) };
}

function attestation(t: AttestationText): Attestation {
  const predicate = need("The type of an attestation", t.predicate);
  const a: Attestation = { predicate, signer: signer(t.signer) };
  if (predicate === "provenance" && t.builder.trim()) a.builder = t.builder.trim();
  if (predicate === "vulnerability-scan" && t.maxAge.trim()) a.maxAge = t.maxAge.trim();
  return a;
}

function signer(t: SignerText): Signer {
  const name = need("The name of a signer", t.name);
  switch (t.kind) {
    case "keyless":
      return { name, keyless: { issuer: need(`Issuer of ${name}`, t.issuer), identity: need(`Identity of ${name}`, t.identity), root: need(`Trusted root of ${name}`, t.root) } };
    case "notation":
      return { name, notation: { certificates: blocks(`Certificates of ${name}`, t.certificates), identities: lines(`Identities of ${name}`, t.identities) } };
  }
  return { name, keys: blocks(`Public keys of ${name}`, t.keys) };
}

function need(what: string, text: string): string {
  if (!text.trim()) throw new Error(`${what} is missing`);
  return text.trim();
}

function lines(what: string, text: string): string[] {
  return need(what, text).split("\n").map((l) => l.trim()).filter(Boolean);
}

// blocks takes PEM apart: what is pasted may hold several, with words between them.
function blocks(what: string, text: string): string[] {
  if (/-----BEGIN [^-]*PRIVATE KEY-----/.test(text)) throw new Error(`${what}: this is a private key; it belongs to the signer alone`);
  const found = text.match(/-----BEGIN ([^-]+)-----[\s\S]+?-----END \1-----/g);
  if (!found) throw new Error(`${what}: paste PEM, from -----BEGIN to the end of -----END …-----`);
  return found.map((b) => `${b}\n`);
}
