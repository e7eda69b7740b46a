// Names that people type and paste: image references, advisory ids.

/** Reference is what stands in "host/team/app:1@sha256:…". */
export interface Reference {
  repository: string;
  tag?: string;
  digest?: string;
}

/** parseReference reads an image reference; host is cut off when the reference begins with it. */
export function parseReference(text: string, host = ""): Reference {
  let rest = text.trim().replace(/^(?:https?|docker):\/\//, "");
  if (host && rest.startsWith(`${host}/`)) rest = rest.slice(host.length + 1);
  const ref: Reference = { repository: rest };
  const at = rest.indexOf("@");
  if (at >= 0) {
    ref.digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
  }
  const colon = rest.lastIndexOf(":");
  if (colon > rest.lastIndexOf("/")) {
    ref.tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
  }
  ref.repository = rest;
  return ref;
}

/** isAdvisory reports whether text looks like an advisory's id. */
export function isAdvisory(text: string): boolean {
  return /^(?:CVE-\d{4}-\d{4,}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|(?:ALAS2?|ALBA|ALSA|DLA|DSA|ELSA|GO|MAL|OSV|PYSEC|RHSA|RLSA|RUSTSEC|USN)-\d{2,}[\w:.-]*)$/i.test(text.trim());
}

/** isDigest reports whether text is a digest or at least twelve digits of one. */
export function isDigest(text: string): boolean {
  return /^(?:sha(?:256|512):[0-9a-f]{6,}|[0-9a-f]{12,})$/i.test(text.trim());
}

/** searchTarget is the console's path for what somebody typed into the search field. */
export function searchTarget(text: string, host = ""): string {
  const t = text.trim();
  if (isAdvisory(t)) return `/advisories/${encodeURIComponent(t.toUpperCase().startsWith("GHSA") ? t : t.toUpperCase())}`;
  if (isDigest(t)) return `/images?search=${encodeURIComponent(t)}`;
  const ref = parseReference(t, host);
  if (ref.digest) return imagePath(ref.repository, ref.digest);
  return `/images?search=${encodeURIComponent(ref.tag ? ref.tag : ref.repository)}`;
}

/** imagePath is the console's page of an image. */
export function imagePath(repository: string, digest: string, tab = ""): string {
  return `/repositories/${encodeURIComponent(repository)}/images/${digest}${tab ? `?tab=${tab}` : ""}`;
}

/** repositoryPath is the console's page of a repository. */
export function repositoryPath(repository: string): string {
  return `/repositories/${encodeURIComponent(repository)}`;
}
