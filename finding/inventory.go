package finding

import "time"

// Inventory is everything that was found in one image for one platform, before any advisory is consulted.
type Inventory struct {
	Image  Image  `json:"image"`
	Distro Distro `json:"distro"`
	// Analyser is the version of the code that made this: inventories of other versions are made anew.
	Analyser    string       `json:"analyser"`
	Packages    []Package    `json:"packages"`
	Executables []Executable `json:"executables,omitempty"`
	Secrets     []Secret     `json:"secrets,omitempty"`
	Checks      []Check      `json:"checks,omitempty"`
	// Scanned says which kinds were looked for, so that an empty list is never taken for a clean one.
	Scanned Scanned `json:"scanned"`
	// Gaps are the parts that could not be evaluated: a file too large, a database that did not parse.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Scanned says which kinds of things an Inventory was asked to look for.
type Scanned struct {
	Packages    bool `json:"packages"`
	Executables bool `json:"executables"`
	Secrets     bool `json:"secrets"`
	Checks      bool `json:"checks"`
}

// Gap is a part of an image that was not evaluated.
type Gap struct {
	// Kind is one of the Gap constants.
	Kind GapKind `json:"kind"`
	// Where is a path in the image, an ecosystem or a layer's diff id.
	Where  string `json:"where,omitempty"`
	Detail string `json:"detail"`
}

// GapKind names the reasons for which something is not evaluated. The gate file speaks of them by these names.
type GapKind string

const (
	GapUnreadable       GapKind = "unreadable"        // a package database or archive that does not parse
	GapTooLarge         GapKind = "too-large"         // over a limit
	GapUnknownDistro    GapKind = "unknown-distro"    // no os-release, or one that no advisory source covers
	GapEndOfLife        GapKind = "end-of-life"       // the distribution release gets no advisories any more
	GapNoData           GapKind = "no-data"           // packages of an ecosystem of which the database has no record
	GapStarterOnly      GapKind = "starter-only"      // only the built-in starter advisories were consulted
	GapStaleDatabase    GapKind = "stale-database"    // the database is older than the gate allows
	GapNothingFound     GapKind = "nothing-found"     // no package database and no package at all
	GapUnsupportedOS    GapKind = "unsupported-os"    // an image for an operating system that is not evaluated (Windows)
	GapNotScanned       GapKind = "not-scanned"       // the gate asks about something that was not looked for
	GapUnparsedVersion  GapKind = "unparsed-version"  // a version that its ecosystem's rules do not allow
	GapDatabaseMismatch GapKind = "database-mismatch" // no database, or one that cannot be read
)

// GapKinds lists every GapKind.
var GapKinds = []GapKind{
	GapUnreadable, GapTooLarge, GapUnknownDistro, GapEndOfLife, GapNoData, GapStarterOnly, GapStaleDatabase,
	GapNothingFound, GapUnsupportedOS, GapNotScanned, GapUnparsedVersion, GapDatabaseMismatch,
}

// Image says which image it is. See DESIGN.md, Identities.
type Image struct {
	// Ref is how the user named it.
	Ref string `json:"ref"`
	// ID is its key: the platform manifest's digest; else the config's; else the tree's ("sha256:…").
	ID     string `json:"id"`
	IDKind IDKind `json:"idKind"`
	// Aliases are the other digests that mean this image: index, manifest, config.
	Aliases []string `json:"aliases,omitempty"`
	// Tags are the names that the archive or registry gives it.
	Tags []string `json:"tags,omitempty"`
	// Platform as os/arch[/variant], "" when unknown.
	Platform string    `json:"platform,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	// Size is the sum of its layers, uncompressed, in bytes.
	Size   int64   `json:"size,omitempty"`
	Layers []Layer `json:"layers,omitempty"`
	Config Config  `json:"config,omitzero"`
}

// IDKind says what an image's ID is the digest of.
type IDKind string

const (
	IDManifest IDKind = "manifest"
	IDConfig   IDKind = "config"
	IDTree     IDKind = "tree" // root file systems: over the verified bytes of the tar, or the sorted tree
	IDSBOM     IDKind = "sbom" // the bytes of an SBOM file
)

// Layer is one layer with content.
type Layer struct {
	LayerRef
	// Digest is that of the blob as transferred, often compressed; "" when unknown.
	Digest string `json:"digest,omitempty"`
	// Size is that of the uncompressed tar in bytes, 0 when unknown.
	Size int64 `json:"size,omitempty"`
}

// Config is the part of an image's configuration that matters to its safety.
type Config struct {
	User         string            `json:"user,omitempty"`
	Env          []string          `json:"env,omitempty"`
	Entrypoint   []string          `json:"entrypoint,omitempty"`
	Cmd          []string          `json:"cmd,omitempty"`
	WorkingDir   string            `json:"workingDir,omitempty"`
	ExposedPorts []string          `json:"exposedPorts,omitempty"` // "22/tcp", sorted
	Volumes      []string          `json:"volumes,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Healthcheck  []string          `json:"healthcheck,omitempty"` // nil: none; ["NONE"]: disabled
	History      []History         `json:"history,omitempty"`
}

// History is one instruction of the build, oldest first.
type History struct {
	Created    time.Time `json:"created,omitzero"`
	CreatedBy  string    `json:"createdBy,omitempty"`
	Comment    string    `json:"comment,omitempty"`
	EmptyLayer bool      `json:"emptyLayer,omitempty"`
}

// Distro is the distribution that os-release declares.
type Distro struct {
	ID        string `json:"id,omitempty"`        // debian, alpine, almalinux, …
	VersionID string `json:"versionId,omitempty"` // 12, 3.20.3, 9.0
	Codename  string `json:"codename,omitempty"`  // bookworm
	Name      string `json:"name,omitempty"`      // PRETTY_NAME
	// Ecosystem is the OSV ecosystem of its packages with the release: "Debian:12", "Alpine:v3.20"; "" when none.
	Ecosystem string `json:"ecosystem,omitempty"`
	// EndOfLife is the day on which its publisher stopped giving advisories, YYYY-MM-DD; "" when not known.
	EndOfLife string `json:"endOfLife,omitempty"`
}

// Package is one installed package.
type Package struct {
	Name string `json:"name"`
	// Version is exact, as the ecosystem's own tool prints it: with epoch where there is one ("1:2.36-9+deb12u4").
	Version string `json:"version"`
	// Type is the package URL type: deb, apk, rpm, golang, npm, pypi, maven, gem, composer, nuget, cargo, …
	Type string `json:"type"`
	// Ecosystem is OSV's, with the release for distributions ("Debian:12", "AlmaLinux:9", "npm"); "" when none.
	Ecosystem string `json:"ecosystem,omitempty"`
	// SourceName and SourceVersion are of the source package that it was built from (dpkg Source, apk origin,
	// rpm SOURCERPM); equal to Name and Version, or "", where there is no other.
	SourceName    string `json:"sourceName,omitempty"`
	SourceVersion string `json:"sourceVersion,omitempty"`
	Arch          string `json:"arch,omitempty"`
	// Modularity is rpm's module label, "nodejs:18:8080020230101:abc"; "" outside modules.
	Modularity string `json:"modularity,omitempty"`
	PURL       string `json:"purl,omitempty"`
	// Licenses are SPDX ids or expressions where the text could be read as one, else the text as found.
	Licenses []string `json:"licenses,omitempty"`
	// Path is the file it was read from: a package database, a lock file, a binary. Slash-separated, no leading slash.
	Path string `json:"path,omitempty"`
	// OwnedBy names the distribution package that installed this language package; such a package is listed but
	// not matched against its language's advisories: the distribution's own speak for it.
	OwnedBy string    `json:"ownedBy,omitempty"`
	Layer   *LayerRef `json:"layer,omitempty"`
}

// Executable is a file that the kernel can start: an ELF file or a script with an execute bit.
type Executable struct {
	Path   string `json:"path"` // slash-separated, no leading slash
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"` // permission bits with setuid 04000, setgid 02000, sticky 01000
	// Script: starts with "#!"; Interpreter is the first word after it.
	Script      bool   `json:"script,omitempty"`
	Interpreter string `json:"interpreter,omitempty"`
	// Owner is the name of the package that installed it, "" for none.
	Owner string `json:"owner,omitempty"`
	// Capabilities are those of the file's security.capability attribute: "cap_net_raw+ep".
	Capabilities []string  `json:"capabilities,omitempty"`
	Layer        *LayerRef `json:"layer,omitempty"`
}

// Secret is a credential found in a file, in the environment or in the history of an image.
type Secret struct {
	Rule     string   `json:"rule"`  // stable id: "aws-access-key"
	Title    string   `json:"title"` // what it is, in words
	Severity Severity `json:"severity"`
	// Path of the file; "" when it stands in the image's configuration, which Where then names.
	Path  string `json:"path,omitempty"`
	Where string `json:"where,omitempty"` // "env AWS_SECRET_ACCESS_KEY", "history 4", "label x"
	Line  int    `json:"line,omitempty"`  // counted from 1; 0 when unknown
	// Masked shows enough to recognise the value and too little to use it. The value itself is never stored.
	Masked string `json:"masked"`
	// Deleted: the file is gone from the final image, but its layer still carries it.
	Deleted    bool         `json:"deleted,omitempty"`
	Layer      *LayerRef    `json:"layer,omitempty"`
	Suppressed *Suppression `json:"suppressed,omitempty"`
}

// Check is a configuration check that failed.
type Check struct {
	ID         string       `json:"id"` // stable: "SW-IMG-001"
	Title      string       `json:"title"`
	Severity   Severity     `json:"severity"`
	Detail     string       `json:"detail"`
	Fix        string       `json:"fix"`
	Paths      []string     `json:"paths,omitempty"`
	Layer      *LayerRef    `json:"layer,omitempty"`
	Suppressed *Suppression `json:"suppressed,omitempty"`
}

// BaseName is the name of the base image, where the image's labels tell it.
// Source: OCI image specification 1.1, annotations.md.
func (i *Image) BaseName() string { return i.Config.Labels["org.opencontainers.image.base.name"] }

// BaseDigest is the digest of the base image, by the same source.
func (i *Image) BaseDigest() string { return i.Config.Labels["org.opencontainers.image.base.digest"] }
